/** Types of `reaction()`: events by `of`, commands by their definitions. */
import { z } from 'zod';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import type { ReactionContext } from '../../src/reactions/reaction-context.js';
import { type RuntimeReaction, reaction } from '../../src/reactions/reaction-definition.js';
import { expectType } from './expect-type.js';
import { order, shipment, tally } from './shop.js';

const react = reaction({
  name: 'react',
  of: [order, shipment],
  on: {
    'order.shipped': (event, ctx) => {
      expectType<RecordedEvent<'order.shipped', { at: number }>>()(event);
      expectType<ReactionContext<RecordedEvent<'order.shipped', { at: number }>>>()(ctx);
      expectType<number>()(ctx.attempt);
      ctx.tell(order, event.aggregateId, 'note', { note: 'gone' }, { id: 'once' });
      ctx.tell(order, event.aggregateId, 'touch');
      ctx.tell(tally, 'all', 'add', event.data.at);
      // @ts-expect-error wrong payload
      ctx.tell(order, event.aggregateId, 'note', { note: 1 });
      // @ts-expect-error the payload is missing
      ctx.tell(order, event.aggregateId, 'note');
      // @ts-expect-error unknown type
      ctx.tell(order, event.aggregateId, 'sing');
      // @ts-expect-error a query is only asked
      ctx.tell(order, event.aggregateId, 'total');
    },
    'shipment.sent': async (event, ctx) => {
      const id = event.data.orderId;
      expectType<number>()(await ctx.ask(order, id, 'ship', { at: ctx.now() }));
      expectType<number>()(await ctx.ask(order, id, 'total'));
      expectType<number>()((await ctx.ask(order, id, 'ship', { at: 1 }, { receipt: true })).position);
      await ctx.send(order, id, 'ship', { at: 1 }, { timeout: '30s' });
      // @ts-expect-error wrong reply
      void ((await ctx.ask(order, id, 'ship', { at: 1 })) satisfies string);
    },
    'order.created': (event, ctx) => Promise.all(event.data.lines.map(({ sku }) => ctx.send(tally, sku, 'swallow'))),
  },
  orderedBy: (event) => (event.type === 'shipment.sent' ? event.data.orderId : event.aggregateId),
  retry: { attempts: Infinity, backoff: { min: '50ms', max: '1m' } },
  whenParked: 'skip',
  from: 'now',
});
export const erased: RuntimeReaction = react;
expectType<'react'>()(react.name);

// Without `of`, as in JavaScript, any type of event may be handled.
reaction({
  name: 'loose',
  on: {
    anything: (event, ctx) => {
      expectType<unknown>()(event.data);
      expectType<string>()(ctx.event.aggregateId);
    },
  },
  orderedBy: (event) => event.type,
});

// An event name that two aggregates share has the data of either.
const left = aggregate({
  name: 'left',
  initialState: () => 0,
  events: { moved: { schema: z.object({ left: z.number() }), apply: (state) => state } },
});
const right = aggregate({
  name: 'right',
  initialState: () => 0,
  events: { moved: { schema: z.object({ right: z.number() }), apply: (state) => state } },
});
reaction({
  name: 'both',
  of: [left, right],
  on: {
    moved: (event) => expectType<number>()('left' in event.data ? event.data.left : event.data.right),
  },
});

// What doesn't compile.
reaction({
  name: 'unknown-event',
  of: [order],
  // @ts-expect-error no such event
  on: { 'order.made': () => {} },
});
reaction({
  name: 'wrong-data',
  of: [order],
  // @ts-expect-error no such field
  on: { 'order.shipped': (event) => event.data.note },
});
// @ts-expect-error actors have no events
reaction({ name: 'wrong-source', of: [tally], on: {} });
// @ts-expect-error `on` is missing
reaction({ name: 'idle', of: [order] });
// @ts-expect-error no such place to start
reaction({ name: 'start', of: [order], on: {}, from: 'end' });
// @ts-expect-error the key is a text
reaction({ name: 'keyed', of: [order], on: {}, orderedBy: (event) => event.position });
