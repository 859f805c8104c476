/** The write model of `cqrs`: orders that are placed, and sometimes cancelled. It knows of no read model. */
import { aggregate } from 'troupe';

/** What a product costs, in pence; the readers check every answer against it. */
export const PRICES: Readonly<Record<string, number>> = { tea: 350, pot: 1_999, cup: 475, tray: 1_250, spoon: 199 };

export interface Placed {
  readonly product: string;
  readonly quantity: number;
  readonly customer: string;
}

export const order = aggregate({
  name: 'order',
  initialState: () => ({ status: 'new', placed: undefined as Placed | undefined }),
  events: {
    'order.placed': { apply: (_state, data: Placed) => ({ status: 'open', placed: data }) },
    'order.cancelled': { apply: (state, _data: Placed) => ({ ...state, status: 'cancelled' }) },
  },
  commands: {
    place: {
      handle(state, input: Placed, ctx) {
        if (state.status !== 'new') ctx.reject('order-exists', `order ${ctx.id} exists`);
        if (PRICES[input.product] === undefined) ctx.reject('unknown-product', `there is no ${input.product}`);
        ctx.emit('order.placed', input);
      },
    },
    cancel: {
      handle(state, _input: undefined, ctx) {
        if (state.status !== 'open' || state.placed === undefined)
          ctx.reject('not-open', `order ${ctx.id} is not open`);
        else ctx.emit('order.cancelled', state.placed);
      },
    },
  },
});
