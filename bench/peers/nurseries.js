/**
 * The short lives of the suite `spawn`, made with other libraries: an actor that begins, handles one message, and ends.
 *
 * Each function gives `burst(count)`, which resolves when all of them have handled theirs, `handled()`, and `stop()`.
 */
/** Counts what is handled, and says when a burst is through. */
function handling() {
  let handled = 0;
  let awaited = Number.POSITIVE_INFINITY;
  let through = () => {};
  return {
    one: () => {
      handled += 1;
      if (handled === awaited) through();
    },
    more: (count) =>
      new Promise((resolve) => {
        awaited = handled + count;
        through = resolve;
      }),
    handled: () => handled,
  };
}

/** nact: children without a name of ours, which are stopped by their function. */
export async function nact() {
  const nactSystem = await import('nact');
  const system = nactSystem.start();
  const { one, more, handled } = handling();
  const once = (_message, ctx) => {
    one();
    nactSystem.stop(ctx.self);
  };
  return {
    burst: (count) => {
      const all = more(count);
      for (let i = 0; i < count; i += 1) nactSystem.dispatch(nactSystem.spawnStateless(system, once), 1);
      return all;
    },
    handled,
    stop: () => nactSystem.stop(system),
  };
}

/** xstate: a reducer; nothing in it is asynchronous. */
export async function xstate() {
  const { createActor, fromTransition } = await import('xstate');
  const { one, handled } = handling();
  const once = fromTransition((context, { type }) => {
    // Its end is an event too.
    if (type === 'once') one();
    return { count: context.count + 1 };
  }, { count: 0 });
  return {
    burst: (count) => {
      for (let i = 0; i < count; i += 1) {
        const actor = createActor(once).start();
        actor.send({ type: 'once' });
        actor.stop();
      }
    },
    handled,
    stop: () => {},
  };
}

/** effect: a fiber that takes one message from a queue of its own; a whole burst is one program. */
export async function effect() {
  const { Effect, Queue } = await import('effect');
  const { one, more, handled } = handling();
  const life = Effect.flatMap(Queue.unbounded(), (queue) =>
    Effect.zipRight(
      Effect.forkDaemon(Effect.flatMap(Queue.take(queue), () => Effect.sync(one))),
      Queue.offer(queue, 1),
    ),
  );
  return {
    burst: async (count) => {
      const all = more(count);
      await Effect.runPromise(Effect.forEach(Array.from({ length: count }), () => life, { discard: true }));
      await all;
    },
    handled,
    stop: () => {},
  };
}
