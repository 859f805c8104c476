/**
 * A handler that never returns: its worker is found out and replaced, and the others go on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActorSystem, defineScenario, isTroupeError, ScenarioInputError } from 'troupe';
import { laneChart, type Moment } from '../lost-workers/lane-chart.js';
import { answeredSince, deviations, harmless, p99, startLoad, threadsOf } from '../lost-workers/steady-load.js';
import { dreamer } from './cast.js';

const ACCOUNTS = 32;
const BLOCKED_AFTER_MS = 1_000;
/** Milliseconds beyond that, on a busy machine, for finding out and for starting another worker. */
const BACK_WITHIN_MS = 30_000;

export const blockedWorker = defineScenario({
  name: 'blocked-worker',
  title: 'A handler that never returns',
  goal: 'Show that an endless loop costs its own worker some time, and the others nothing.',
  method:
    '32 accounts get a deposit every 20 ms. In the middle an actor goes into an endless loop on one worker; blockedAfter is 1 s.',
  expected:
    'The worker is found out after 1 s and replaced, its accounts answer everything that waited; the other workers never stop.',
  workers: 2,
  async run(ctx) {
    const { journal, workers } = ctx;
    if (workers === 0) throw new ScenarioInputError('blocked-worker needs worker threads; give --workers 2 or more');
    const moments: Moment[] = [];
    let lossMs = 0;
    let moment = (_lane: string, _mark: string, _text: string): void => undefined;
    let now = (): number => 0;
    const silent = (): void => undefined;
    const system = await ActorSystem.start({
      name: 'blocked',
      cast: new URL('./cast.js', import.meta.url),
      journal,
      workers,
      limits: { blockedAfter: BLOCKED_AFTER_MS },
      log: {
        debug: silent,
        info: silent,
        warn: (text) => ctx.warn(text),
        error: (text) => {
          lossMs ||= now();
          moment('runtime', '!', text.split(';')[0] ?? '');
        },
      },
    });
    let stillMs = 0;
    system.facts.subscribe((fact) => {
      if (fact.kind === 'worker-blocked') stillMs ||= fact.stillMs;
    });
    const before = system.metrics().position;
    try {
      const ids = Array.from({ length: ACCOUNTS }, (_, index) => `account-${index}-of-${before}`);
      const dreamerRef = await system.spawn(dreamer);
      const victim = await dreamerRef.ask('thread');
      const homes = await threadsOf(system, ids);
      const threads = [...new Set(homes.values())].toSorted((one, other) => one - other);
      const laneOf = (thread: number): string => `worker ${threads.indexOf(thread) + 1}`;
      const blocked = laneOf(victim);

      const load = startLoad(system, ids, () => ctx.random());
      now = () => load.now();
      moment = (lane, mark, text) => void moments.push({ atMs: load.now(), lane, mark, text });
      await sleep(1_000 + ctx.random() * 200);
      const blockMs = load.now();
      moment(blocked, '✗', 'an actor goes into an endless loop there');
      const lastWish = await dreamerRef.ask('dream', undefined, { timeout: '30s' }).catch((error: unknown) => error);
      moment(
        blocked,
        '?',
        `whoever had asked it is told: ${isTroupeError(lastWish) ? lastWish.code : String(lastWish)}`,
      );
      const after = await threadsOf(system, ids);
      moment(blocked, '✓', 'it is replaced, all its accounts answer again');
      const awake = await dreamerRef.ask('thread', undefined, { timeout: '30s' }).catch(() => 0);
      await sleep(1_000);
      await load.stop();
      await system.settled();

      const hit = (id: string): boolean => homes.get(id) === victim;
      const backMs = answeredSince(load.deposits, ids.filter(hit), blockMs);
      const others = load.deposits.filter(({ accountId }) => !hit(accountId));
      const calm = p99(others.filter(({ answeredMs }) => answeredMs < blockMs));
      const meanwhile = p99(others.filter(({ sentMs }) => sentMs >= blockMs && sentMs < backMs));
      const sent = [...load.sent.values()].reduce((sum, count) => sum + count, 0);
      const answers = load.deposits.map(({ accountId, answeredMs }) => ({
        atMs: answeredMs,
        lane: laneOf(homes.get(accountId) ?? 0),
      }));

      ctx.say();
      for (const line of laneChart(answers, moments)) ctx.say(line);
      ctx.say();
      ctx.events(system.metrics().position - before);
      ctx.total('deposits', sent);
      ctx.total('foundOutAfterMs', Math.round(lossMs - blockMs));
      ctx.total('downtimeMs', Math.round(backMs - blockMs));
      ctx.total('othersP99BeforeMs', Math.round(calm));
      ctx.total('othersP99MeanwhileMs', Math.round(meanwhile));
      ctx.checkThat(
        // The last sign of life is somewhat older than the loop.
        `the worker is found out ${BLOCKED_AFTER_MS} ms after its last sign of life, not earlier`,
        stillMs >= BLOCKED_AFTER_MS && lossMs > blockMs && lossMs - blockMs < BLOCKED_AFTER_MS + BACK_WITHIN_MS,
        `after ${Math.round(stillMs)} ms, ${Math.round(lossMs - blockMs)} ms after it went into the loop`,
      );
      ctx.checkThat('the asker of the endless loop is told', isTroupeError(lastWish, 'TROUPE_WORKER_LOST'));
      ctx.checkThat(
        'another thread has taken the place of the blocked one, and only of that',
        ids.every((id) => (after.get(id) === homes.get(id)) !== hit(id)),
      );
      ctx.checkThat('the actor lives again on the new thread', awake !== 0 && awake !== victim);
      ctx.check('every deposit is answered', sent, load.deposits.length);
      ctx.check('no deposit fails', [], load.failures.map(String));
      ctx.check('the journal has each deposit once, and in order', 0, await deviations(system, load.sent));
      ctx.checkThat(
        `the accounts of that worker answer again within ${BACK_WITHIN_MS / 1_000} s`,
        backMs > blockMs && backMs - blockMs < BACK_WITHIN_MS,
        `${Math.round(backMs - blockMs)} ms`,
      );
      ctx.checkThat(
        'meanwhile the others answer as before',
        threads.length === 1 || meanwhile <= harmless(calm, backMs - blockMs),
        `p99 ${meanwhile.toFixed(1)} ms, before ${calm.toFixed(1)} ms`,
      );
    } finally {
      await system.stop();
    }
  },
});
