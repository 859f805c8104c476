/**
 * The inventory service: one aggregate per stock code.
 *
 * A best-seller has thousands of events, so the state is small and there are snapshots. Every event tells the pieces
 * moved and the level after it. An order is refused for want of goods only when the code is discontinued: what is
 * missing is else replenished in the same command, so that both are in the journal or neither. Only a correction of
 * the books (`adjust`) may take the level below zero.
 *
 * `held` is which line of which order holds how many pieces, so that `release` gives back what was set aside, once, and
 * nothing when nothing was. A text, because each reservation adds to it and hardly any takes away: joining two texts
 * costs the same however long they are, copying a map of thousands does not.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

/** Pieces a replenishment brings at least. */
const LOT = 1_000;

const positive = z.int().positive();

interface StockState {
  readonly onHand: number;
  readonly held: string;
  readonly discontinued: boolean;
}

const lineOfOrder = z.object({ orderId: z.string(), line: positive });

function holding(orderId: string, line: number): string {
  return `;${encodeURIComponent(orderId)}/${line}=`;
}

/** Pieces that a line of an order holds; 0 when it holds none. */
function heldBy({ held }: StockState, orderId: string, line: number): number {
  const key = holding(orderId, line);
  const at = held.indexOf(key);
  return at < 0 ? 0 : Number.parseInt(held.slice(at + key.length), 10);
}

export const inventory = aggregate({
  name: 'inventory',
  initialState: (): StockState => ({ onHand: 0, held: '', discontinued: false }),
  events: {
    'stock.replenished': {
      schema: z.object({ quantity: positive, onHand: z.int() }),
      apply: (state, data) => ({ ...state, onHand: state.onHand + data.quantity }),
    },
    'stock.reserved': {
      schema: lineOfOrder.extend({ quantity: positive, onHand: z.int() }),
      apply: (state, data) => ({
        ...state,
        onHand: state.onHand - data.quantity,
        held: `${state.held}${holding(data.orderId, data.line)}${data.quantity}`,
      }),
    },
    /** An order is off, and its goods are for others again. */
    'stock.released': {
      schema: lineOfOrder.extend({ quantity: positive, onHand: z.int() }),
      apply: (state, data) => ({
        ...state,
        onHand: state.onHand + data.quantity,
        held: state.held.replace(`${holding(data.orderId, data.line)}${data.quantity}`, ''),
      }),
    },
    /** What is sold out stays so. */
    'stock.discontinued': { schema: z.object({}), apply: (state) => ({ ...state, discontinued: true }) },
    'stock.returned': {
      schema: z.object({ returnId: z.string(), line: positive, quantity: z.int(), onHand: z.int() }),
      apply: (state, data) => ({ ...state, onHand: state.onHand + data.quantity }),
    },
    'stock.adjusted': {
      schema: z.object({ reference: z.string(), quantity: z.int(), onHand: z.int() }),
      apply: (state, data) => ({ ...state, onHand: state.onHand + data.quantity }),
    },
  },
  commands: {
    /** Sets goods aside for one line of an order. */
    reserve: {
      schema: lineOfOrder.extend({ quantity: positive }),
      handle(state, input, ctx) {
        let onHand = state.onHand;
        if (onHand < input.quantity) {
          if (state.discontinued) ctx.reject('out-of-stock', `${onHand} of ${ctx.id} are left, and no more will come`);
          const quantity = Math.max(LOT, input.quantity - onHand);
          onHand += quantity;
          ctx.emit('stock.replenished', { quantity, onHand });
        }
        onHand -= input.quantity;
        ctx.emit('stock.reserved', { orderId: input.orderId, line: input.line, quantity: input.quantity, onHand });
      },
    },
    /** Gives back what a line of an order holds; nothing when it holds nothing. */
    release: {
      schema: lineOfOrder,
      handle(state, { orderId, line }, ctx) {
        const quantity = heldBy(state, orderId, line);
        if (quantity > 0) ctx.emit('stock.released', { orderId, line, quantity, onHand: state.onHand + quantity });
      },
    },
    /** No more will come: what is not on hand can't be ordered any longer. */
    discontinue: {
      schema: z.object({}),
      handle(state, _input, ctx) {
        if (!state.discontinued) ctx.emit('stock.discontinued', {});
      },
    },
    /** Takes back the goods of one line of a return. */
    restock: {
      schema: z.object({ returnId: z.string(), line: positive, quantity: z.int() }),
      handle(state, input, ctx) {
        if (input.quantity < 0) ctx.reject('quantity-negative', `a return brings goods, not ${input.quantity} pieces`);
        ctx.emit('stock.returned', { ...input, onHand: state.onHand + input.quantity });
      },
    },
    /** Corrects the level by a signed number of pieces: found, broken, thrown away. */
    adjust: {
      schema: z.object({ reference: z.string(), quantity: z.int() }),
      handle(state, input, ctx) {
        if (input.reference === '') ctx.reject('reference-missing', `an adjustment of ${ctx.id} needs a reference`);
        ctx.emit('stock.adjusted', { ...input, onHand: state.onHand + input.quantity });
      },
    },
  },
  queries: { 'on-hand': (state) => state.onHand },
  snapshot: { every: 100, keep: 2, version: 2 },
});
