/** Types of `actor()` and its context. */
import type { Observable } from 'rxjs';
import type { ActorContext } from '../../src/actors/actor-context.js';
import { type ArgsOf, actor, type RuntimeActor } from '../../src/actors/actor-definition.js';
import type { ActorRef } from '../../src/actors/actor-ref.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { type Equal, expectTrue, expectType } from './expect-type.js';
import { clerk, order, tally } from './shop.js';

export const erased: readonly RuntimeActor[] = [tally, clerk];

expectTrue<Equal<(typeof tally)['name'], 'tally'>>();
expectTrue<Equal<ArgsOf<typeof tally>, { from: number }>>();
expectTrue<Equal<ArgsOf<typeof clerk>, unknown>>();

// What handlers see.
actor({
  name: 'seen',
  initialState: (args: { from: number }, ctx) => {
    expectType<ActorContext>()(ctx);
    return { count: args.from };
  },
  receive: {
    any(state, payload, ctx) {
      expectType<{ count: number }>()(state);
      expectType<unknown>()(payload);
      expectType<ActorContext<{ count: number }>>()(ctx);
      // @ts-expect-error no such field of the state
      void state.total;
    },
    typed(state, payload: { to: ActorRef<typeof tally> }, ctx) {
      payload.to.tell('add', state.count);
      ctx.become({
        typed: (inner, other: string) => {
          inner.count += other.length;
        },
        any(inner) {
          expectType<{ count: number }>()(inner);
          ctx.unbecome();
        },
      });
    },
  },
  started(state, ctx) {
    state.count += 1;
    ctx.schedule('any', undefined, { every: '10s' }).cancel();
    // @ts-expect-error after or every
    ctx.schedule('any', undefined, {});
  },
  async stopped(state) {
    state.count = 0;
  },
  terminated(state, ref, ctx) {
    state.count -= 1;
    expectType<ActorRef>()(ref);
    ctx.log.info('gone', { name: ref.name, id: ref.id });
  },
  mailbox: { capacity: Infinity, overflow: 'drop-oldest', priority: (type) => (type === 'any' ? 1 : 0) },
  children: {
    strategy: 'rest-for-one',
    within: '1m',
    backoff: { min: 10, max: '1s', jitter: 0 },
    decide: (error) => (error instanceof RangeError ? 'resume' : 'escalate'),
  },
});

export async function context(ctx: ActorContext<{ count: number }>): Promise<void> {
  expectType<ActorRef<RuntimeActor>>()(ctx.self);
  expectType<ActorRef<RuntimeActor> | null>()(ctx.parent);
  expectType<ActorRef | null>()(ctx.sender);
  expectType<Observable<RecordedEvent>>()(ctx.events);
  expectType<AbortSignal>()(ctx.signal);
  expectType<number>()(ctx.now());
  expectType<string>()(ctx.newId());

  const child = ctx.spawn(tally, { id: 'a', args: { from: 1 } });
  expectType<ActorRef<typeof tally>>()(child);
  child.tell('add', 1);
  ctx.spawn(clerk);
  ctx.spawn(clerk, { id: 'b' });
  // @ts-expect-error args are missing
  ctx.spawn(tally);
  // @ts-expect-error args are missing
  ctx.spawn(tally, { id: 'a' });
  // @ts-expect-error wrong args
  ctx.spawn(tally, { args: { from: 'one' } });
  // @ts-expect-error aggregates aren't spawned
  ctx.spawn(order, { id: '1' });

  ctx.watch(child);
  ctx.unwatch(child);
  ctx.stop(child);
  ctx.stop();
  ctx.ref(order, '1').tell('ship', { at: 1 });
  // @ts-expect-error aggregates can't be stopped
  ctx.stop(ctx.ref(order, '1'));

  ctx.pipeToSelf(child.ask('total'), 'total');
  expectType<number>()(await ctx.offload((n: number) => n + 1, 1));
  expectType<string>()(await ctx.offload(async (n: number) => String(n), 1));
  // @ts-expect-error wrong input
  await ctx.offload((n: number) => n + 1, 'one');
}

// What doesn't compile.
actor({
  name: 'bad-state',
  initialState: () => ({ count: 0 }),
  // @ts-expect-error the state has another type
  receive: { add(_state: { total: number }) {} },
});
// @ts-expect-error a handler is a function
actor({ name: 'bad-handler', initialState: () => 0, receive: { add: 1 } });
// @ts-expect-error no such directive
actor({ name: 'bad-directive', initialState: () => 0, receive: {}, children: { decide: () => 'retry' } });
// @ts-expect-error no such strategy
actor({ name: 'bad-strategy', initialState: () => 0, receive: {}, children: { strategy: 'one' } });
// @ts-expect-error no such option
actor({ name: 'typo', initialState: () => 0, receive: {}, start() {} });
