/** Definitions that the type tests share, most of them from the public contract. They also run. */
import { z } from 'zod';
import { actor } from '../../src/actors/actor-definition.js';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import { projection } from '../../src/projections/projection-definition.js';

const line = z.object({ sku: z.string(), quantity: z.number().int() });
const orderCreated = z.object({ lines: z.array(line), total: z.number(), currency: z.string() });
const createOrder = z.object({ lines: z.array(line), total: z.number(), currency: z.string().default('GBP') });

export interface OrderState {
  status: 'new' | 'placed' | 'shipped';
  lines: { sku: string; quantity: number }[];
  total: number;
}

export const order = aggregate({
  name: 'order',
  initialState: (_id): OrderState => ({ status: 'new', lines: [], total: 0 }),
  events: {
    'order.created': {
      version: 2,
      schema: orderCreated,
      upcast: { 1: (data) => ({ ...data, currency: 'GBP' }) },
      apply: (state, data, _event) => ({ ...state, status: 'placed', lines: data.lines, total: data.total }),
    },
    'order.shipped': {
      schema: z.object({ at: z.number() }),
      apply: (state, _data) => ({ ...state, status: 'shipped' }),
    },
    // Without a schema the annotation of `apply` gives the type.
    'order.noted': { apply: (state, data: { note: string }) => ({ ...state, total: state.total + data.note.length }) },
    'order.touched': { apply: (state) => state },
  },
  commands: {
    create: {
      schema: createOrder,
      handle(state, input, ctx) {
        if (state.status !== 'new') ctx.reject('order-exists', `order ${ctx.id} exists`);
        ctx.emit('order.created', input);
        return { total: input.total };
      },
    },
    ship: {
      schema: z.object({ at: z.number() }),
      async handle(state, input, ctx) {
        ctx.emit('order.shipped', { at: input.at });
        return state.lines.length;
      },
    },
    nothing: { schema: z.object({}), handle(_state, _input, _ctx) {} },
    // Without a schema the annotation of `handle` gives the type; without a parameter nothing is sent.
    note: {
      handle(_state, input: { note: string }, ctx) {
        ctx.emit('order.noted', input);
        return 'noted' as const;
      },
    },
    touch: { handle: (state) => state.total },
    swallow: { handle: (_state, input) => input === undefined },
  },
  queries: {
    total: (state) => state.total,
    line: (state, index: number) => state.lines[index] ?? null,
  },
  snapshot: { every: 100 },
  passivateAfter: '1m',
  mailbox: { capacity: 100, overflow: 'reject' },
});

export const shipment = aggregate({
  name: 'shipment',
  initialState: () => ({ parcels: 0 }),
  events: {
    'shipment.sent': { schema: z.object({ orderId: z.string() }), apply: (state) => ({ parcels: state.parcels + 1 }) },
  },
});

export const tally = actor({
  name: 'tally',
  initialState: (args: { from: number }, _ctx) => ({ count: args.from }),
  receive: {
    add(state, amount: number, _ctx) {
      state.count += amount;
    },
    total(state) {
      return state.count;
    },
    async describe(state, options?: { long: boolean }) {
      return options?.long === true ? `the count is ${state.count}` : String(state.count);
    },
    swallow(_state, _payload) {},
  },
});

export const clerk = actor({ name: 'clerk', initialState: () => 0, receive: {} });

export const sale = aggregate({
  name: 'sale',
  initialState: () => 0,
  events: {
    'sale.made': { schema: z.object({ country: z.string(), total: z.number() }), apply: (state) => state },
    'sale.undone': { schema: z.object({ reason: z.string() }), apply: (state) => state },
  },
});

export const salesByCountry = projection({
  name: 'sales-by-country',
  of: [sale],
  version: 1,
  columns: { country: 'text primary key', orders: 'integer', total: 'integer' },
  indexes: [['total']],
  key: (event) => event.data.country,
  on: {
    'sale.made': (row = { orders: 0, total: 0 }, event, key) => ({
      ...row,
      orders: row.orders + 1,
      total: row.total + event.data.total + key.length,
    }),
  },
});
