/** Types of `aggregate()`: what one options object infers, and what it refuses. */
import { z } from 'zod';
import type { AggregateContext } from '../../src/actors/aggregate-context.js';
import {
  aggregate,
  type EventsOf,
  type RuntimeAggregate,
  type StateOf,
} from '../../src/actors/aggregate-definition.js';
import type { EventToApply } from '../../src/core/recorded-event.js';
import type { Schema } from '../../src/core/schema.js';
import { type Equal, expectTrue, expectType } from './expect-type.js';
import { type OrderState, order } from './shop.js';

// The typed definition is its erased form, without a cast.
export const erased: readonly RuntimeAggregate[] = [order];

expectTrue<Equal<(typeof order)['name'], 'order'>>();
expectTrue<Equal<StateOf<typeof order>, OrderState>>();
expectTrue<Equal<StateOf<RuntimeAggregate>, unknown>>();
expectTrue<Equal<EventsOf<typeof order>['order.shipped'], { at: number }>>();
expectTrue<Equal<EventsOf<typeof order>['order.noted'], { note: string }>>();
expectTrue<Equal<EventsOf<typeof order>['order.touched'], unknown>>();
expectTrue<Equal<keyof EventsOf<typeof order>, 'order.created' | 'order.shipped' | 'order.noted' | 'order.touched'>>();

// What handlers see.
aggregate({
  name: 'seen',
  initialState: (id) => {
    expectType<string>()(id);
    return { n: 0 };
  },
  events: {
    added: {
      schema: z.object({ n: z.number() }),
      upcast: { 1: (data: { amount: number }) => ({ n: data.amount }) },
      version: 2,
      apply: (state, data, event) => {
        expectType<{ n: number }>()(state);
        expectType<{ n: number }>()(data);
        expectType<EventToApply<'added', { n: number }>>()(event);
        // @ts-expect-error the position is only known after the commit
        void event.position;
        // @ts-expect-error so is the time of the commit
        void event.recordedAt;
        return { n: state.n + data.n };
      },
    },
  },
  commands: {
    add: {
      schema: z.object({ n: z.string().transform(Number) }),
      handle(state, input, ctx) {
        expectType<Readonly<{ n: number }>>()(state);
        expectType<{ n: number }>()(input);
        expectType<string>()(ctx.id);
        expectType<string | null>()(ctx.command.causationId);
        ctx.emit('added', input);
        // @ts-expect-error unknown event
        ctx.emit('removed', input);
        // @ts-expect-error wrong data
        ctx.emit('added', { n: 'one' });
        // @ts-expect-error data is missing
        ctx.emit('added');
        // @ts-expect-error no such field of the state
        void state.m;
        // @ts-expect-error no such field of the input
        void input.m;
        // @ts-expect-error the state is never changed
        state.n = 1;
        // @ts-expect-error effects belong to reactions
        ctx.tell(order, '1', 'touch');
      },
    },
    bare: {
      handle(_state, input, ctx) {
        expectType<unknown>()(input);
        return ctx.reject('never');
      },
    },
  },
  queries: {
    n: (state) => {
      expectType<Readonly<{ n: number }>>()(state);
      return state.n;
    },
  },
});

// Literals of a union survive, arrays may be built anew, a state may be a union, a primitive or null.
aggregate({
  name: 'lines',
  initialState: (): OrderState => ({ status: 'new', lines: [], total: 0 }),
  events: {
    appended: {
      schema: z.object({ sku: z.string() }),
      apply: (state, data) => ({ ...state, status: 'placed', lines: [...state.lines, { sku: data.sku, quantity: 1 }] }),
    },
    reset: { apply: () => ({ status: 'new', lines: [], total: 0 }) },
    shipped: {
      apply(state) {
        if (state.total === 0) return state;
        return { ...state, status: state.lines.length > 0 ? 'shipped' : 'placed' };
      },
    },
  },
});
aggregate({
  name: 'union',
  initialState: (): { kind: 'off' } | { kind: 'on'; since: number } => ({ kind: 'off' }),
  events: {
    switched: {
      schema: z.object({ at: z.number() }),
      apply: (state, data) => (state.kind === 'off' ? { kind: 'on', since: data.at } : { kind: 'off' }),
    },
  },
});
aggregate({
  name: 'count',
  initialState: () => 0,
  events: { added: { schema: z.number(), apply: (state, data) => state + data } },
});
aggregate({
  name: 'optional',
  initialState: (): { name: string } | null => null,
  events: { named: { schema: z.string(), apply: (_state, name) => ({ name }) }, forgotten: { apply: () => null } },
});

// Any Standard Schema will do, not only zod's.
declare const anySchema: Schema<{ text: string }, { length: number }>;
export const measured = aggregate({
  name: 'measured',
  initialState: () => 0,
  events: { measured: { schema: anySchema, apply: (state, data) => state + data.length } },
});

// A handler may stand outside, typed by its context.
const handleOutside = (
  _state: Readonly<{ n: number }>,
  input: { n: number },
  ctx: AggregateContext<{ added: { n: number } }>,
) => {
  ctx.emit('added', input);
  return input.n;
};
aggregate({
  name: 'outside',
  initialState: () => ({ n: 0 }),
  events: { added: { schema: z.object({ n: z.number() }), apply: (state, data) => ({ n: state.n + data.n }) } },
  commands: { add: { handle: handleOutside } },
});

// What doesn't compile.
aggregate({
  name: 'bad-status',
  initialState: (): OrderState => ({ status: 'new', lines: [], total: 0 }),
  events: {
    // @ts-expect-error no such status
    lost: { apply: (state) => ({ ...state, status: 'lost' }) },
  },
});
aggregate({
  name: 'bad-shape',
  initialState: () => ({ n: 0 }),
  events: {
    // @ts-expect-error a field of the state is missing
    added: { apply: () => ({}) },
  },
});
// @ts-expect-error the name is missing
aggregate({ initialState: () => 0, events: {} });
// @ts-expect-error the initial state is missing
aggregate({ name: 'stateless', events: {} });
// @ts-expect-error the events are missing
aggregate({ name: 'eventless', initialState: () => 0 });
// @ts-expect-error no duration
aggregate({ name: 'idle', initialState: () => 0, events: {}, passivateAfter: 'a while' });
// @ts-expect-error no such policy
aggregate({ name: 'overflow', initialState: () => 0, events: {}, mailbox: { overflow: 'drop' } });
// @ts-expect-error aggregates have no priorities
aggregate({ name: 'priority', initialState: () => 0, events: {}, mailbox: { priority: () => 0 } });
// @ts-expect-error no such option
aggregate({ name: 'typo', initialState: () => 0, events: {}, passivate: '1m' });
aggregate({
  name: 'typos',
  initialState: () => 0,
  // @ts-expect-error `apply` is missing
  events: { added: { aply: (state: number) => state } },
});
