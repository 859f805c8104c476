/**
 * All events are kept: who did what can be asked afterwards, every past state can be had again, and on a fork of the log
 * history can be tried with another rule, while the original stays as it is.
 */
import { rm } from 'node:fs/promises';
import { ActorSystem, defineScenario, isTroupeError, type RecordedEvent } from 'troupe';
import { account, dearerAccount } from './cast.js';

const CAST = new URL('./cast-of-today.js', import.meta.url);
const CLERKS = ['Ada', 'Ben', 'Cleo'];
/** The clerk who takes what isn't his, once, in the middle of everything. */
const THIEF = 'Ben';
const STOLEN = 777;

export const eventSourcing = defineScenario({
  name: 'event-sourcing',
  title: 'Nothing is forgotten',
  goal: 'Show what a log of all events is good for: an audit, any state of the past, and a look at what might have been.',
  method:
    'Three clerks move money on ten accounts; one of them steals once. The log is asked who it was, every state that ever was is folded again, and the first half of history is copied to a fork where fees are three per cent instead of one.',
  expected:
    'The thief is found with time and command; each past state equals an independent fold; on the fork the second half is decided by the other rule, and the original has not moved.',
  options: { moves: { type: 'number', default: 1_000, description: 'movements on the accounts' } },
  async run(ctx) {
    const { journal, workers } = ctx;
    const draw = (below: number): number => Math.floor(ctx.random() * below);
    const forkPath = journal === ':memory:' ? ':memory:' : `${journal}.fork.db`;
    const log = {
      debug: nothing,
      info: nothing,
      warn: (text: string) => ctx.warn(text),
      error: (text: string) => ctx.warn(text),
    };
    const system = await ActorSystem.start({ name: 'bank', cast: CAST, journal, workers, log });
    const before = system.metrics().position;
    const ids = Array.from({ length: 10 }, (_, index) => `account-${index}-of-${before}`);
    try {
      const wishes = Array.from({ length: ctx.options.moves }, (_, move) => ({
        id: ids[draw(ids.length)] ?? '',
        type: move < 50 || draw(2) === 0 ? ('deposit' as const) : ('withdraw' as const),
        amount: 1 + draw(move < 50 ? 500 : 200),
        clerk: CLERKS[draw(CLERKS.length)] ?? '',
      }));
      const middle = wishes.length >> 1;
      const carryOut = async (on: ActorSystem, from: number, to: number): Promise<number> => {
        let refused = 0;
        for (const { id, type, amount, clerk } of wishes.slice(from, to)) {
          await on
            .ref(account, id)
            .ask(type, { amount }, { metadata: { clerk } })
            .catch((error: unknown) => {
              if (!isTroupeError(error, 'TROUPE_REJECTED')) throw error;
              refused += 1;
            });
        }
        return refused;
      };

      await carryOut(system, 0, middle);
      const halfway = system.metrics().position;
      const halfwayAt = Date.now();
      await untilLaterThan(halfwayAt);
      await system.ref(account, ids[3] ?? '').ask('deposit', { amount: STOLEN }, { metadata: { clerk: 'Ada' } });
      await system
        .ref(account, ids[3] ?? '')
        .ask('withdraw', { amount: STOLEN }, { id: `theft-${before}`, metadata: { clerk: THIEF } });
      await carryOut(system, middle, wishes.length);

      const history: RecordedEvent<string, { amount: number; fee?: number }>[] = [];
      for await (const event of system.readAll({ after: before })) history.push(event as (typeof history)[number]);
      const theft = history.find(({ type, data }) => type === 'account.withdrawn' && data.amount === STOLEN);
      ctx.say(
        `Who took ${STOLEN}? The log says: ${String(theft?.metadata['clerk'])}, by command ${String(theft?.commandId)},`,
      );
      ctx.say(`at position ${theft?.position ?? 0}, on ${new Date(theft?.recordedAt ?? 0).toISOString()}.`);

      const past = await pastStates(system, history);
      const atHalfway = await Promise.all(
        ids.map(async (id) => (await system.state(account, id, { atTime: halfwayAt })).balance),
      );
      const balances = async (on: ActorSystem) =>
        Promise.all(ids.map(async (id) => (await on.state(account, id)).balance));
      const original = await balances(system);

      // What if? The first half of history goes to a fork, event by event; the second half is decided there anew.
      if (forkPath !== ':memory:')
        for (const end of ['', '-wal', '-shm', '.lock', '.views']) await rm(forkPath + end, { force: true });
      const fork = await ActorSystem.start({ name: 'fork', cast: [dearerAccount], journal: forkPath, workers: 0, log });
      let forked: number[];
      let forkFees: number;
      try {
        for (const { aggregateId, type, data, id, metadata } of history.filter(({ position }) => position <= halfway)) {
          await fork.append(dearerAccount, aggregateId, [{ type, data, id, metadata }]);
        }
        await carryOut(fork, middle, wishes.length);
        forked = await balances(fork);
        forkFees = (await Promise.all(ids.map(async (id) => (await fork.state(dearerAccount, id)).fees))).reduce(
          (a, b) => a + b,
          0,
        );
      } finally {
        await fork.stop();
      }
      const fees = (await Promise.all(ids.map(async (id) => (await system.state(account, id)).fees))).reduce(
        (a, b) => a + b,
        0,
      );

      const one = history.filter(({ aggregateId }) => aggregateId === ids[0]);
      const steps = [0.1, 0.25, 0.5, 0.75, 1].map((share) => Math.max(1, Math.round(one.length * share)));
      ctx.bars(
        await Promise.all(
          steps.map(async (atVersion) => ({
            label: `version ${atVersion}`,
            value: (await system.state(account, ids[0] ?? '', { atVersion })).balance,
          })),
        ),
        { title: 'One account, at five moments of its life' },
      );
      ctx.bars(
        [
          { label: 'fees as they were', value: fees },
          { label: 'fees on the fork', value: forkFees },
        ],
        { title: 'What if the fee had been three per cent from the middle on?' },
      );
      ctx.events(history.length);
      ctx.total('pastStates', past.folded);
      ctx.total('fees', fees);
      ctx.total('feesOnTheFork', forkFees);
      ctx.check('the audit finds the thief', THIEF, theft?.metadata['clerk']);
      ctx.check('the audit names the command', `theft-${before}`, theft?.commandId);
      ctx.check('every past state equals an independent fold', 0, past.wrong);
      ctx.check(
        'the state at a time is that of the last event before it',
        foldBalances(
          history.filter(({ position }) => position <= halfway),
          ids,
        ),
        atHalfway,
      );
      ctx.check('the balances are the fold of all events', foldBalances(history, ids), original);
      ctx.check('the original has not moved while the fork was played', original, await balances(system));
      ctx.checkThat(
        'the fork has come to another end',
        forkFees > fees && forked.some((balance, index) => balance !== original[index]),
        `fees ${forkFees} instead of ${fees}`,
      );
    } finally {
      await system.stop();
    }
  },
});

/** Asks for every state that ever was, and compares each with a sum of its own. */
async function pastStates(
  system: ActorSystem,
  history: readonly RecordedEvent<string, { amount: number; fee?: number }>[],
): Promise<{ folded: number; wrong: number }> {
  const sums = new Map<string, number>();
  let wrong = 0;
  for (const { aggregateId, version, type, data } of history) {
    const change = type === 'account.deposited' ? data.amount : -data.amount - (data.fee ?? 0);
    const sum = (sums.get(aggregateId) ?? 0) + change;
    sums.set(aggregateId, sum);
    const { balance } = await system.state(account, aggregateId, { atVersion: version });
    if (balance !== sum) wrong += 1;
  }
  return { folded: history.length, wrong };
}

function foldBalances(
  history: readonly RecordedEvent<string, { amount: number; fee?: number }>[],
  ids: readonly string[],
): number[] {
  const sums = new Map<string, number>();
  for (const { aggregateId, type, data } of history) {
    const change = type === 'account.deposited' ? data.amount : -data.amount - (data.fee ?? 0);
    sums.set(aggregateId, (sums.get(aggregateId) ?? 0) + change);
  }
  return ids.map((id) => sums.get(id) ?? 0);
}

/** Commits have whole milliseconds: what comes next shall have a later one. */
async function untilLaterThan(time: number): Promise<void> {
  while (Date.now() <= time) await new Promise((resolve) => setImmediate(resolve));
}

function nothing(): void {
  // The story tells what matters.
}
