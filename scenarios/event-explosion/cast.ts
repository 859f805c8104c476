/** The cast of `event-explosion`: an order with a great many lines, and two dashboards that hear of them. */
import { aggregate } from 'troupe';

export interface LineAdded {
  readonly sku: string;
  readonly quantity: number;
  readonly mills: number;
}

/** What a dashboard is told: so many lines at once. */
export interface Figures {
  readonly lines: number;
  readonly pieces: number;
  readonly mills: number;
}

export const basket = aggregate({
  name: 'basket',
  initialState: () => ({ lines: 0 }),
  events: { 'line.added': { apply: (state, _data: LineAdded) => ({ lines: state.lines + 1 }) } },
  commands: { add: { handle: (_state, input: LineAdded, ctx) => ctx.emit('line.added', input) } },
});

export const dashboard = aggregate({
  name: 'dashboard',
  initialState: () => ({ messages: 0, lines: 0, pieces: 0, mills: 0 }),
  events: {
    'figures.told': {
      apply: (state, { lines, pieces, mills }: Figures) => ({
        messages: state.messages + 1,
        lines: state.lines + lines,
        pieces: state.pieces + pieces,
        mills: state.mills + mills,
      }),
    },
  },
  commands: { tell: { handle: (_state, input: Figures, ctx) => ctx.emit('figures.told', input) } },
});
