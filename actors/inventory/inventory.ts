/**
 * The inventory service: one aggregate per stock code.
 *
 * A best-seller has thousands of events, so the state is one number and there are snapshots. Every event tells
 * the pieces moved and the level after it. An order is never refused for want of goods: what is missing is
 * replenished in the same command, so that both are in the journal or neither. Only a correction of the books
 * (`adjust`) may take the level below zero.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

/** Pieces a replenishment brings at least. */
const LOT = 1_000;

const positive = z.int().positive();

interface StockState {
  readonly onHand: number;
}

export const inventory = aggregate({
  name: 'inventory',
  initialState: (): StockState => ({ onHand: 0 }),
  events: {
    'stock.replenished': {
      schema: z.object({ quantity: positive, onHand: z.int() }),
      apply: (state, data) => ({ onHand: state.onHand + data.quantity }),
    },
    'stock.reserved': {
      schema: z.object({ orderId: z.string(), line: positive, quantity: positive, onHand: z.int() }),
      apply: (state, data) => ({ onHand: state.onHand - data.quantity }),
    },
    'stock.returned': {
      schema: z.object({ returnId: z.string(), line: positive, quantity: z.int(), onHand: z.int() }),
      apply: (state, data) => ({ onHand: state.onHand + data.quantity }),
    },
    'stock.adjusted': {
      schema: z.object({ reference: z.string(), quantity: z.int(), onHand: z.int() }),
      apply: (state, data) => ({ onHand: state.onHand + data.quantity }),
    },
  },
  commands: {
    /** Sets goods aside for one line of an order. */
    reserve: {
      schema: z.object({ orderId: z.string(), line: positive, quantity: positive }),
      handle(state, input, ctx) {
        let onHand = state.onHand;
        if (onHand < input.quantity) {
          const quantity = Math.max(LOT, input.quantity - onHand);
          onHand += quantity;
          ctx.emit('stock.replenished', { quantity, onHand });
        }
        onHand -= input.quantity;
        ctx.emit('stock.reserved', { orderId: input.orderId, line: input.line, quantity: input.quantity, onHand });
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
  snapshot: { every: 100, keep: 2, version: 1 },
});
