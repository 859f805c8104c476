/**
 * The counter of the benches, made with other libraries. Each function starts one and gives what an arm needs:
 * `tell(amount)`, `ask(amount)` and `total()` as promises of the count, and `stop()`.
 *
 * Each loads its own library only. Idiomatic use of each, in its fastest documented form; a peer that could be faster is a defect of this file.
 */
import { Worker } from 'node:worker_threads';

/** nact: a function of state and message. */
export async function nact() {
  const nactSystem = await import('nact');
  const system = nactSystem.start();
  const actor = nactSystem.spawn(
    system,
    (count = 0, message) => {
      const next = count + message.amount;
      if (message.sender !== undefined) nactSystem.dispatch(message.sender, next);
      return next;
    },
    'counter',
  );
  const ask = (amount) => nactSystem.query(actor, (sender) => ({ amount, sender }), 60_000);
  return {
    tell: (amount) => nactSystem.dispatch(actor, { amount }),
    ask,
    total: () => ask(0),
    stop: () => nactSystem.stop(system),
  };
}

/** xstate: a machine with `assign`. */
export async function xstateMachine() {
  const { assign, createActor, createMachine } = await import('xstate');
  const actor = createActor(
    createMachine({
      context: { count: 0 },
      on: { add: { actions: assign({ count: ({ context, event }) => context.count + event.amount }) } },
    }),
  ).start();
  return xstate(actor);
}

/** xstate: a reducer. */
export async function xstateTransition() {
  const { createActor, fromTransition } = await import('xstate');
  return xstate(
    createActor(
      fromTransition((context, event) => ({ count: context.count + event.amount }), { count: 0 }),
    ).start(),
  );
}

function xstate(actor) {
  const ask = (amount) => {
    actor.send({ type: 'add', amount });
    return Promise.resolve(actor.getSnapshot().context.count);
  };
  return { tell: (amount) => actor.send({ type: 'add', amount }), ask, total: () => ask(0), stop: () => actor.stop() };
}

/** comedy, in memory or on a thread; an ask may overtake a tell there, so ask for the total until it is right. */
async function comedy(mode) {
  const { default: comedyModule } = await import('comedy');
  const { default: CounterActor } = await import('./comedy-counter.cjs');
  const system = comedyModule.createSystem({ test: true });
  const root = await system.rootActor();
  const actor = await root.createChild(CounterActor, { mode });
  return {
    tell: (amount) => actor.send('add', amount),
    ask: (amount) => actor.sendAndReceive('next', amount),
    total: () => actor.sendAndReceive('next', 0),
    stop: () => system.destroy(),
  };
}

export const comedyMemory = () => comedy('in-memory');
export const comedyThreaded = () => comedy('threaded');

/** effect: a fiber that takes from a queue. */
export async function effect() {
  const { Deferred, Effect, Fiber, Queue } = await import('effect');
  const queue = await Effect.runPromise(Queue.unbounded());
  let count = 0;
  const fiber = Effect.runFork(
    Effect.forever(
      Effect.flatMap(Queue.take(queue), (message) => {
        count += message.amount;
        return message.reply === undefined ? Effect.void : Deferred.succeed(message.reply, count);
      }),
    ),
  );
  const ask = (amount) =>
    Effect.runPromise(
      Effect.flatMap(Deferred.make(), (reply) => {
        queue.unsafeOffer({ amount, reply });
        return Deferred.await(reply);
      }),
    );
  return {
    tell: (amount) => queue.unsafeOffer({ amount, reply: undefined }),
    ask,
    total: () => ask(0),
    stop: () => Effect.runPromise(Fiber.interrupt(fiber)),
  };
}

/** comlink: calls of an object on a worker; it has no tell. */
export async function comlinkWorker() {
  const comlink = await import('comlink');
  const { default: nodeEndpoint } = await import('comlink/dist/esm/node-adapter.mjs');
  const worker = new Worker(new URL('./comlink-counter.js', import.meta.url));
  const counter = comlink.wrap(nodeEndpoint(worker));
  return {
    tell: (amount) => void counter.next(amount),
    ask: (amount) => counter.next(amount),
    total: () => counter.next(0),
    stop: () => worker.terminate(),
  };
}

/** Piscina: one task for each ask, on one thread; it has no tell. */
export async function piscina() {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: new URL('./piscina-counter.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 256,
  });
  return {
    ask: (amount) => pool.run(amount),
    total: () => pool.run(0),
    stop: () => pool.destroy(),
  };
}
