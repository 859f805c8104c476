/** A small shop for laws about sagas: stock that is reserved and released, payments, parcels; each counts what it did. */
import { aggregate } from '../../src/actors/aggregate-definition.js';
import type { RuntimeSaga } from '../../src/sagas/saga-definition.js';
import { ActorSystem } from '../../src/system/actor-system.js';
import type { Logger } from '../../src/core/logger.js';
import type { SystemOptions } from '../../src/system/system-options.js';

interface Counted {
  readonly reserved: number;
  readonly released: number;
}

/** Commands that may be told to fail: `reject` refuses, `throw` throws each time, `throwTimes` the first times. */
export interface Order {
  readonly quantity?: number;
  readonly reject?: string;
  readonly throw?: string;
}

export const stock = aggregate({
  name: 'stock',
  initialState: (): Counted => ({ reserved: 0, released: 0 }),
  events: {
    'stock.reserved': { apply: (state, _data: { quantity: number }) => ({ ...state, reserved: state.reserved + 1 }) },
    'stock.released': { apply: (state, _data: { quantity: number }) => ({ ...state, released: state.released + 1 }) },
  },
  commands: {
    reserve: {
      handle(_state, input: Order, ctx) {
        if (input.reject !== undefined) ctx.reject(input.reject, `${ctx.id}: ${input.reject}`);
        if (input.throw !== undefined) throw new Error(input.throw);
        ctx.emit('stock.reserved', { quantity: input.quantity ?? 1 });
        return { reserved: input.quantity ?? 1 };
      },
    },
    release: {
      handle(state, input: Order, ctx) {
        if (input.reject !== undefined) ctx.reject(input.reject, `${ctx.id}: ${input.reject}`);
        if (input.throw !== undefined) throw new Error(input.throw);
        // Must accept that nothing was done.
        if (state.reserved > state.released) ctx.emit('stock.released', { quantity: input.quantity ?? 1 });
      },
    },
  },
  queries: { counts: (state) => state },
});

export const order = aggregate({
  name: 'order',
  initialState: (): { status: string } => ({ status: 'new' }),
  events: {
    'order.created': { apply: (_state, _data: { readonly sku: string }) => ({ status: 'created' }) },
    'order.shipped': { apply: (_state, _data: { readonly at: number }) => ({ status: 'shipped' }) },
  },
  commands: {
    create: {
      handle(_state, input: { readonly sku: string }, ctx) {
        ctx.emit('order.created', input);
      },
    },
    ship: {
      handle(_state, input: { readonly at: number }, ctx) {
        ctx.emit('order.shipped', input);
      },
    },
  },
});

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A system with the shop and some sagas. */
export function startShop(sagas: readonly RuntimeSaga[], options: Partial<SystemOptions> = {}): Promise<ActorSystem> {
  return ActorSystem.start({
    cast: [stock, order, ...sagas],
    workers: 0,
    journal: ':memory:',
    log: silent,
    ...options,
  });
}
