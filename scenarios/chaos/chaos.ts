/**
 * A load over many aggregates and actors while workers are killed, blocked and filled at random: at the end the journal
 * has everything that was acknowledged, once and in order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActorSystem, defineScenario, ScenarioInputError } from 'troupe';
import { meter } from './cast.js';
import { audit, Load } from './ledger-of-load.js';
import { HARM, Sabotage } from './sabotage.js';

const ACCOUNTS = 10_000;
const METERS = 1_000;
const LANES = 64;
const HEAP_MB = 192;
const BLOCKED_AFTER_MS = 1_000;
/** Milliseconds within which the last wounds have to be healed, on a busy machine. */
const HEALED_WITHIN_MS = 60_000;
/** The heap of the main thread may be so many times what it was, and so much larger. */
const FLAT_FACTOR = 1.5;
const FLAT_MIB = 64;

export const chaos = defineScenario({
  name: 'chaos',
  title: 'Workers are killed, blocked and filled, and nothing is lost',
  goal: 'Show that what was acknowledged is in the journal, once and in order, whatever happens to the workers.',
  method:
    '10,000 accounts get numbered deposits, 1,000 plain actors are told to count. Meanwhile, at random, a worker exits, fails, stands still or hoards memory, or a mailbox is flooded.',
  expected:
    'Every acknowledged deposit is in the journal exactly once, none out of order; every plain actor answers; memory is flat; nothing is left to do.',
  workers: 2,
  options: { seconds: { type: 'number', default: 20, description: 'how long to go on', placeholder: 'N' } },
  async run(ctx) {
    const { journal, workers, options } = ctx;
    if (workers === 0) throw new ScenarioInputError('chaos needs worker threads; give --workers 2 or more');
    if (!(options.seconds > 0)) throw new ScenarioInputError('--seconds: give a number above 0');
    const silent = (): void => undefined;
    const system = await ActorSystem.start({
      name: 'chaos',
      cast: new URL('./cast.js', import.meta.url),
      journal,
      workers,
      limits: { heapMb: HEAP_MB, blockedAfter: BLOCKED_AFTER_MS },
      log: { debug: silent, info: silent, warn: silent, error: silent },
    });
    if (system.metrics().position > 0) {
      await system.stop();
      throw new ScenarioInputError('chaos counts what it does itself; give it a journal that is empty');
    }
    const losses = new Map<string, number>();
    const downMs: number[] = [];
    let letters = 0;
    const started = performance.now();
    system.facts.subscribe((fact) => {
      if (fact.kind === 'worker-lost') losses.set(fact.reason, (losses.get(fact.reason) ?? 0) + 1);
      else if (fact.kind === 'worker-ready') downMs.push(fact.afterMs);
      else if (fact.kind === 'dead-letter') letters += 1;
    });
    const progress = ctx.progress({ total: options.seconds, unit: 's' });
    try {
      for (let i = 0; i < METERS; i += 100) {
        const some = Array.from({ length: 100 }, (_, j) => system.spawn(meter, { id: `meter-${i + j}` }));
        await Promise.all(some);
      }
      const random = (): number => ctx.random();
      const load = new Load({ system, accounts: ACCOUNTS, meters: METERS, lanes: LANES, random });
      const sabotage = new Sabotage({
        system,
        meters: METERS,
        heapMb: HEAP_MB,
        blockedAfterMs: BLOCKED_AFTER_MS,
        random,
      });
      await sabotage.enlist(system.metrics().workers);

      load.start();
      const over = new AbortController();
      const going = sabotage.go(over.signal);
      const heap: number[] = [];
      for (const untilMs = performance.now() + options.seconds * 1_000; performance.now() < untilMs; ) {
        if (ctx.signal.aborted) break;
        await sleep(250);
        heap.push(process.memoryUsage().heapUsed / 1_048_576);
        progress.update(options.seconds - Math.max(0, (untilMs - performance.now()) / 1_000), {
          deposits: load.total,
          lost: [...losses.values()].reduce((sum, count) => sum + count, 0),
        });
      }
      over.abort();
      await going;
      progress.update(options.seconds, { healing: '' });
      await load.stop();
      // A mailbox that was flooded a moment ago would refuse the question.
      await system.settled({ timeout: HEALED_WITHIN_MS });
      const alive = await Promise.all(
        Array.from({ length: METERS }, (_, i) =>
          system
            .ref(meter, `meter-${i}`)
            .ask('count', undefined, { timeout: HEALED_WITHIN_MS })
            .then(() => 1, silent),
        ),
      );
      const health = system.health();
      const found = await audit(system, load);
      const metrics = system.metrics();
      progress.stop();

      const sum = (numbers: Iterable<number>): number => [...numbers].reduce((one, other) => one + other, 0);
      const early = median(heap.slice(heap.length >> 2, heap.length >> 1));
      const late = median(heap.slice(-(heap.length >> 2)));
      ctx.say();
      ctx.say(`  ${((performance.now() - started) / 1_000).toFixed(0)} s of chaos, survived:`);
      for (const harm of HARM) ctx.say(`  ${String(sabotage.done.get(harm) ?? 0).padStart(7)} x ${harm}`);
      for (const [reason, count] of losses) ctx.say(`  ${String(count).padStart(7)} workers lost: ${reason}`);
      ctx.say(
        `  a worker was replaced within ${median(downMs).toFixed(0)} ms (median), ${Math.max(0, ...downMs).toFixed(0)} ms (worst)`,
      );
      for (const [code, count] of load.failures)
        ctx.say(`  ${String(count).padStart(7)} deposits sent again after ${code}`);
      ctx.say(`  ${String(letters).padStart(7)} dead letters, all of plain actors`);
      ctx.say(`  heap of the main thread: ${early.toFixed(0)} MiB early, ${late.toFixed(0)} MiB late`);
      ctx.say();
      ctx.events(found.events);
      ctx.total('deposits', load.total);
      ctx.total('ticks', load.ticks);
      ctx.total('workersLost', sum(losses.values()));
      ctx.total('harm', sum(sabotage.done.values()));
      ctx.total('deadLetters', letters);
      ctx.total('repeats', sum(load.failures.values()));
      ctx.check('every deposit sent was acknowledged', sum(load.sent), load.total);
      ctx.check('every acknowledged deposit is in the journal', 0, found.missing);
      ctx.check('none is there twice', 0, found.double);
      ctx.check('the journal has nothing else', load.total, found.events);
      ctx.check('no order is broken', 0, found.outOfOrder);
      ctx.check('every plain actor answers', METERS, sum(alive.map((one) => one ?? 0)));
      ctx.check('facts and metrics agree on the workers lost', metrics.workerLosses, sum(losses.values()));
      ctx.checkThat(
        'memory is flat',
        late <= early * FLAT_FACTOR + FLAT_MIB,
        `${early.toFixed(0)} MiB, then ${late.toFixed(0)} MiB`,
      );
      ctx.check(
        'nothing needs a person',
        [],
        health.problems.map(({ kind, name }) => `${kind} ${name}`),
      );
    } finally {
      progress.stop();
      await system.stop();
    }
  },
});

function median(numbers: readonly number[]): number {
  const ascending = numbers.toSorted((one, other) => one - other);
  return ascending[ascending.length >> 1] ?? 0;
}
