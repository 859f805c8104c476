/**
 * What the examples of docstrings talk about without saying it: a small shop, a running system, a few things at hand.
 *
 * For the compiler only; nothing here is run.
 */
import type { Observable } from 'rxjs';
import { type ActorSystem, actor, aggregate, projection, reaction, type RecordedEvent, saga } from 'troupe';
import { z } from 'zod';

const created = z.object({
  total: z.number(),
  country: z.string().default('GB'),
  lines: z.array(z.object({ sku: z.string(), quantity: z.number() })).default([]),
});

export const order = aggregate({
  name: 'order',
  initialState: () => ({ total: 0 }),
  events: {
    'order.created': { schema: created, apply: (_state, data) => ({ total: data.total }) },
    'order.shipped': { schema: z.object({}), apply: (state) => state },
  },
  commands: { create: { schema: created, handle: (_state, input, ctx) => ctx.emit('order.created', input) } },
});

export const inventory = aggregate({
  name: 'inventory',
  initialState: () => ({}),
  events: { 'stock.reserved': { schema: z.object({ quantity: z.number() }), apply: (state) => state } },
  commands: {
    reserve: {
      schema: z.object({ quantity: z.number() }),
      handle: (_state, input, ctx) => ctx.emit('stock.reserved', input),
    },
    release: { schema: z.object({ quantity: z.number() }), handle: () => undefined },
  },
});

const amount = z.object({ amount: z.number() });

export const reserveStock = reaction({
  name: 'reserve-stock',
  of: [order],
  on: { 'order.created': (event, ctx) => ctx.tell(inventory, event.aggregateId, 'reserve', { quantity: 1 }) },
});

export const fulfilOrder = saga({
  name: 'fulfil-order',
  of: [order],
  startOn: 'order.created',
  run: async (ctx) => ctx.sleep('1h'),
});

export const account = aggregate({
  name: 'account',
  initialState: () => ({ balance: 0 }),
  events: {
    'account.opened': { schema: z.object({ owner: z.string() }), apply: (state) => state },
    'account.deposited': { schema: amount, apply: (state, data) => ({ balance: state.balance + data.amount }) },
  },
  commands: {
    deposit: {
      schema: amount,
      handle(state, input, ctx) {
        ctx.emit('account.deposited', input);
        return state.balance + input.amount;
      },
    },
    withdraw: { schema: amount, handle: (_state, _input, ctx) => ctx.reject('insufficient-funds') },
    transferLater: { schema: amount, handle: async () => undefined },
  },
});

export const tally = actor({
  name: 'tally',
  initialState: (args: { from: number }) => ({ count: args.from }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    total: (state) => state.count,
  },
});

export const stock = projection({
  name: 'stock',
  of: [inventory],
  columns: { sku: 'text primary key', sold: 'integer', on_hand: 'integer' },
  key: (event) => event.aggregateId,
  on: { 'stock.reserved': (row = { sold: 0, on_hand: 0 }) => row },
});

export const orders = projection({
  name: 'orders',
  of: [order],
  columns: { id: 'text primary key', country: 'text' },
  key: (event) => event.aggregateId,
  on: { 'order.created': (_row, event) => ({ country: event.data.country }) },
});

export declare const system: ActorSystem;
export declare const input: z.input<typeof created>;
export declare const error: unknown;
export declare const file: string;
export declare const shuffled: Observable<RecordedEvent>;
export declare function retryLater(): void;
export declare function notifyCustomer(id: string): Promise<void>;
export { existsSync } from 'node:fs';
