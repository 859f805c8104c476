/** The producers of `event-loss`: orders are placed, whoever listens. */
import { aggregate } from 'troupe';

export const order = aggregate({
  name: 'order',
  initialState: () => ({ placed: 0 }),
  events: { 'order.placed': { apply: (state, _data: { n: number }) => ({ placed: state.placed + 1 }) } },
  commands: { place: { handle: (_state, input: { n: number }, ctx) => ctx.emit('order.placed', input) } },
});

/** Where parcels are packed; one for each customer. */
export const packing = aggregate({
  name: 'packing',
  initialState: () => ({ packed: [] as number[] }),
  events: { 'parcel.packed': { apply: (state, data: { n: number }) => ({ packed: [...state.packed, data.n] }) } },
  commands: { pack: { handle: (_state, input: { n: number }, ctx) => ctx.emit('parcel.packed', input) } },
});
