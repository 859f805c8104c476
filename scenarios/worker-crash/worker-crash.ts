/**
 * A worker thread exits in the middle of everything: nothing is lost, and the others don't notice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActorSystem, defineScenario, isTroupeError, ScenarioInputError } from 'troupe';
import { laneChart, type Moment } from '../lost-workers/lane-chart.js';
import { answeredSince, deviations, harmless, p99, startLoad, threadsOf } from '../lost-workers/steady-load.js';
import { bomb, tally } from './cast.js';

const ACCOUNTS = 32;
const TALLIES = 8;
const ADDED = 100;
/** Milliseconds within which a worker has to be back, on a busy machine. */
const BACK_WITHIN_MS = 30_000;

export const workerCrash = defineScenario({
  name: 'worker-crash',
  title: 'A worker dies, and nothing is lost',
  goal: 'Show what the death of a worker thread costs: the time until it is replaced, and nothing else.',
  method:
    '32 accounts get a deposit every 20 ms, 8 plain actors count. In the middle an actor calls process.exit() on one worker.',
  expected:
    'Every deposit is answered and stands in the journal once, in order; the other workers answer as before; plain actors of the dead worker begin anew.',
  workers: 2,
  async run(ctx) {
    const { journal, workers } = ctx;
    if (workers === 0) throw new ScenarioInputError('worker-crash needs worker threads; give --workers 2 or more');
    const moments: Moment[] = [];
    let moment = (_lane: string, _mark: string, _text: string): void => undefined;
    const silent = (): void => undefined;
    const system = await ActorSystem.start({
      name: 'crash',
      cast: new URL('./cast.js', import.meta.url),
      journal,
      workers,
      log: {
        debug: silent,
        info: silent,
        warn: (text) => ctx.warn(text),
        error: (text) => moment('runtime', '!', text.split(';')[0] ?? ''),
      },
    });
    const before = system.metrics().position;
    try {
      const ids = Array.from({ length: ACCOUNTS }, (_, index) => `account-${index}-of-${before}`);
      const tallies = await Promise.all(Array.from({ length: TALLIES }, () => system.spawn(tally)));
      const bombRef = await system.spawn(bomb);
      const victim = await bombRef.ask('thread');
      const homes = await threadsOf(system, ids);
      const threads = [...new Set(homes.values())].toSorted((one, other) => one - other);
      const laneOf = (thread: number): string => `worker ${threads.indexOf(thread) + 1}`;
      const dead = laneOf(victim);
      const tallyThreads = await Promise.all(tallies.map((ref) => ref.ask('thread')));

      const load = startLoad(system, ids, () => ctx.random());
      moment = (lane, mark, text) => void moments.push({ atMs: load.now(), lane, mark, text });
      for (const ref of tallies) for (let i = 0; i < ADDED; i += 1) ref.tell('add');
      const counted = await Promise.all(tallies.map((ref) => ref.ask('count')));
      await sleep(1_000 + ctx.random() * 200);

      const crashMs = load.now();
      moment(dead, '✗', 'an actor calls process.exit() there');
      const lastWish = await bombRef.ask('explode', undefined, { timeout: '30s' }).catch((error: unknown) => error);
      moment(
        dead,
        '?',
        `whoever had asked that actor is told: ${isTroupeError(lastWish) ? lastWish.code : String(lastWish)}`,
      );
      const after = await threadsOf(system, ids);
      moment(dead, '✓', 'it is replaced, all its accounts answer again');
      await sleep(1_000);
      await load.stop();
      const recounted = await Promise.all(tallies.map((ref) => ref.ask('count')));
      await system.settled();

      const hit = (id: string): boolean => homes.get(id) === victim;
      const backMs = answeredSince(load.deposits, ids.filter(hit), crashMs);
      const downMs = backMs - crashMs;
      const others = load.deposits.filter(({ accountId }) => !hit(accountId));
      const calm = p99(others.filter(({ answeredMs }) => answeredMs < crashMs));
      const meanwhile = p99(others.filter(({ sentMs }) => sentMs >= crashMs && sentMs < backMs));
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
      ctx.total('downtimeMs', Math.round(downMs));
      ctx.total('othersP99BeforeMs', Math.round(calm));
      ctx.total('othersP99MeanwhileMs', Math.round(meanwhile));
      ctx.check('every deposit is answered', sent, load.deposits.length);
      ctx.check('no deposit fails', [], load.failures.map(String));
      ctx.check('the journal has each deposit once, and in order', 0, await deviations(system, load.sent));
      ctx.checkThat('the asker of the actor that died is told', isTroupeError(lastWish, 'TROUPE_WORKER_LOST'));
      ctx.checkThat(
        'another thread has taken the place of the dead one, and only of that',
        ids.every((id) => (after.get(id) === homes.get(id)) !== hit(id)),
      );
      ctx.check(
        'plain actors have their counts, those of the dead worker begin anew',
        tallyThreads.map((thread) => (thread === victim ? 0 : ADDED)),
        recounted,
      );
      ctx.check(
        'plain actors had counted all before',
        counted.length * ADDED,
        counted.reduce((sum, one) => sum + one, 0),
      );
      ctx.checkThat(
        `the dead worker's accounts answer again within ${BACK_WITHIN_MS / 1_000} s`,
        downMs > 0 && downMs < BACK_WITHIN_MS,
        `${Math.round(downMs)} ms`,
      );
      ctx.checkThat(
        'meanwhile the others answer as before',
        threads.length === 1 || meanwhile <= harmless(calm, downMs),
        `p99 ${meanwhile.toFixed(1)} ms, before ${calm.toFixed(1)} ms`,
      );
    } finally {
      await system.stop();
    }
  },
});
