/** Events, states, inputs and replies of aggregates are JSON: what isn't doesn't compile, at the place where it is. */
import { z } from 'zod';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import type { JsonForm } from '../../src/core/json-form.js';
import { type Equal, expectTrue } from './expect-type.js';

interface Tree {
  name: string;
  children: Tree[];
  note?: string;
}

expectTrue<Equal<JsonForm<string | null>, string | null>>();
expectTrue<Tree extends JsonForm<Tree> ? true : false>();
expectTrue<unknown extends JsonForm<unknown> ? true : false>();
expectTrue<{ at: Date } extends JsonForm<{ at: Date }> ? false : true>();
expectTrue<{ big: bigint } extends JsonForm<{ big: bigint }> ? false : true>();
expectTrue<Map<string, number> extends JsonForm<Map<string, number>> ? false : true>();
expectTrue<{ fn: () => void } extends JsonForm<{ fn: () => void }> ? false : true>();

// Recursive interfaces, brands, records, tuples and unions are JSON.
const id = z.string().brand<'Id'>();
aggregate({
  name: 'tree',
  initialState: (): Tree => ({ name: '', children: [] }),
  events: {
    grown: {
      schema: z.object({ id, by: z.custom<Tree>(), at: z.tuple([z.number(), z.string()]), any: z.unknown() }),
      apply: (state, data) => ({ ...state, children: [...state.children, data.by] }),
    },
    weighed: { schema: z.record(z.string(), z.union([z.number(), z.null()])), apply: (state) => state },
  },
  commands: {
    grow: {
      schema: z.object({ by: z.custom<Tree>(), note: z.string().optional() }),
      handle(state, input, ctx) {
        ctx.emit('weighed', { grams: input.note === undefined ? null : 1 });
        return state;
      },
    },
    nothing: { async handle() {} },
  },
  queries: { name: (state) => state.name },
});

// @ts-expect-error a Date in the state
aggregate({ name: 'dated', initialState: () => ({ at: new Date() }), events: {} });

aggregate({
  name: 'dated-event',
  initialState: () => 0,
  // @ts-expect-error a Date in an event
  events: { dated: { schema: z.object({ at: z.date() }), apply: (state) => state } },
});

aggregate({
  name: 'inputs',
  initialState: () => 0,
  events: {},
  commands: {
    // @ts-expect-error a bigint in an input
    big: { schema: z.object({ amount: z.bigint() }), handle() {} },
    // @ts-expect-error what is sent is JSON, what the handler gets isn't
    dated: { schema: z.object({ at: z.coerce.date() }), handle() {} },
  },
});

aggregate({
  name: 'replies',
  initialState: () => 0,
  events: {},
  commands: {
    // @ts-expect-error the reply is a Date
    dated: { handle: () => new Date() },
    // @ts-expect-error a Map in the reply
    mapped: { handle: async () => ({ found: new Map<string, number>() }) },
    fine: { handle: async () => ({ found: [['a', 1]] }) },
  },
});

aggregate({
  name: 'answers',
  initialState: () => ({ n: 0 }),
  events: {},
  queries: {
    // @ts-expect-error the answer is a Set
    set: (state) => new Set([state.n]),
  },
});
