/**
 * A message that kills every worker that handles it: it is found, set aside, and shown; everything else is done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActorSystem, defineScenario, isTroupeError, ScenarioInputError } from 'troupe';
import { laneChart, type Moment } from '../lost-workers/lane-chart.js';
import { answeredSince, deviations, harmless, p99, startLoad, threadsOf } from '../lost-workers/steady-load.js';
import { inbox } from './cast.js';

const ACCOUNTS = 32;
const DOCUMENTS = 60;
/** The first death makes a message suspect, the second one, when it is tried alone, proves it. */
const DEATHS = 2;

export const poisonMessage = defineScenario({
  name: 'poison-message',
  title: 'A message that kills whoever handles it',
  goal: 'Show that a message which ends its worker each time is stopped, and takes nothing else along.',
  method:
    '32 accounts get a deposit every 20 ms. An inbox gets 60 documents at once, one of which calls process.exit() in the handler.',
  expected:
    'After two workers the message is quarantined: its sender is told, it is a dead letter and stands in health(); everything else is done, in order.',
  workers: 2,
  async run(ctx) {
    const { journal, workers } = ctx;
    if (workers === 0) throw new ScenarioInputError('poison-message needs worker threads; give --workers 2 or more');
    const moments: Moment[] = [];
    let moment = (_lane: string, _mark: string, _text: string): void => undefined;
    const silent = (): void => undefined;
    const system = await ActorSystem.start({
      name: 'poison',
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
      const box = system.ref(inbox, `inbox-of-${before}`);
      const victim = await box.ask('thread');
      const homes = await threadsOf(system, ids);
      const threads = [...new Set([victim, ...homes.values()])].toSorted((one, other) => one - other);
      const laneOf = (thread: number): string => `worker ${threads.indexOf(thread) + 1}`;
      const dying = laneOf(victim);

      const load = startLoad(system, ids, () => ctx.random());
      moment = (lane, mark, text) => void moments.push({ atMs: load.now(), lane, mark, text });
      await sleep(1_000 + ctx.random() * 200);
      const poisonous = 1 + Math.floor(ctx.random() * DOCUMENTS);
      const poisonMs = load.now();
      moment(dying, '✗', `document ${poisonous} of ${DOCUMENTS} is poisonous`);
      let poisonDoneMs = 0;
      const filed = await Promise.allSettled(
        Array.from({ length: DOCUMENTS }, (_, index) => {
          const number = index + 1;
          const input = { number, poisonous: number === poisonous };
          const answer = box.ask('file', input, { id: `${box.id}-${number}`, timeout: '30s' });
          if (!input.poisonous) return answer;
          return answer.catch((error: unknown) => {
            poisonDoneMs = load.now();
            moment(dying, '?', `its sender is told: ${isTroupeError(error) ? error.code : String(error)}`);
            throw error;
          });
        }),
      );
      moment(dying, '✓', `the ${DOCUMENTS - 1} other documents are filed`);
      await threadsOf(system, ids);
      await sleep(1_000);
      await load.stop();
      await system.settled();

      const numbers: number[] = [];
      // The only event that an inbox has.
      for await (const { type, data } of system.read(inbox, box.id))
        if (type === 'document.filed') numbers.push((data as { number: number }).number);
      const refused = filed.flatMap((one, index) =>
        one.status === 'rejected' ? [{ number: index + 1, error: one.reason as unknown }] : [],
      );
      const letters = system.deadLetters
        .list()
        .filter(({ reason, target }) => reason === 'quarantined' && target.id === box.id);
      const problems = system.health().problems.filter(({ kind }) => kind === 'message-quarantined');
      const hit = (id: string): boolean => homes.get(id) === victim;
      const backMs = answeredSince(load.deposits, ids.filter(hit), poisonDoneMs);
      const others = load.deposits.filter(({ accountId }) => !hit(accountId));
      const calm = p99(others.filter(({ answeredMs }) => answeredMs < poisonMs));
      const meanwhile = p99(others.filter(({ sentMs }) => sentMs >= poisonMs && sentMs < backMs));
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
      ctx.total('quarantinedAfterMs', Math.round(poisonDoneMs - poisonMs));
      ctx.total('othersP99BeforeMs', Math.round(calm));
      ctx.total('othersP99MeanwhileMs', Math.round(meanwhile));
      ctx.check(
        'only the poisonous document fails, and its sender is told',
        [`${poisonous}: TROUPE_WORKER_LOST`],
        refused.map(({ number, error }) => `${number}: ${isTroupeError(error) ? error.code : String(error)}`),
      );
      ctx.check(
        'all other documents are filed once, in order',
        Array.from({ length: DOCUMENTS }, (_, index) => index + 1).filter((number) => number !== poisonous),
        numbers,
      );
      ctx.check(
        'it is a dead letter, with what was in it',
        [{ type: 'file', payload: { number: poisonous, poisonous: true } }],
        letters.map(({ type, payload }) => ({ type, payload })),
      );
      ctx.checkThat(
        'health() names it',
        problems.some(({ name, id }) => name === 'inbox' && id === box.id),
      );
      ctx.check('workers that it has cost', DEATHS, system.metrics().workerLosses);
      ctx.check('every deposit is answered', sent, load.deposits.length);
      ctx.check('no deposit fails', [], load.failures.map(String));
      ctx.check('the journal has each deposit once, and in order', 0, await deviations(system, load.sent));
      ctx.checkThat(
        'meanwhile the others answer as before',
        others.length === 0 || meanwhile <= harmless(calm, backMs - poisonMs),
        `p99 ${meanwhile.toFixed(1)} ms, before ${calm.toFixed(1)} ms`,
      );
    } finally {
      await system.stop();
    }
  },
});
