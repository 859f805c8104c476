/**
 * Suite `streams`: how many events a second reach subscribers and readers, and what the operators cost.
 *
 * Fan-out counts deliveries: events times subscribers. Operators get recorded events from a plain subject, so that only
 * they are measured.
 */
import { Subject } from 'rxjs';
import { ActorSystem, type RecordedEvent } from 'troupe';
import { deduplicate, ofType, perAggregate, resequence, summarize } from 'troupe/operators';
import { account } from '../cast/account.js';
import { scaled, timeOnce } from '../harness/once.js';
import { type Arm, type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { countBursts } from '../harness/throughput.js';

const BURST = 1_000;
const SUBSCRIBERS = 100;
const HISTORY = 200_000;

export const streams = defineSuite({
  name: 'streams',
  question: 'How many events a second reach subscribers and readers, and what do the operators cost?',
  pace: { full: { rounds: 1 } },
  arms: [
    {
      name: 'subject-100-subscribers',
      question: 'a plain RxJS subject with 100 subscribers: the bound',
      unit: 'deliveries/s',
      run: subject,
    },
    fanOut(1),
    { ...fanOut(10), notQuick: true },
    fanOut(SUBSCRIBERS, 'subject-100-subscribers'),
    {
      name: 'read-all',
      question: 'the whole history of 200,000 events (fewer with --quick) from a file, by readAll',
      unit: 'events/s',
      run: readAll,
    },
    ...[
      operatorArm('of-type', 'ofType', (source, seen) =>
        source.pipe(ofType('account.deposited')).subscribe(() => seen(1)),
      ),
      operatorArm('deduplicate', 'deduplicate with a window of 10,000 keys', (source, seen) =>
        source.pipe(deduplicate({ by: (event) => event.id, window: 10_000 })).subscribe(() => seen(1)),
      ),
      operatorArm(
        'resequence',
        'resequence by position, every two events swapped',
        (source, seen) => source.pipe(resequence({ sequence: (event) => event.position })).subscribe(() => seen(1)),
        (position) => (position % 2 === 0 ? position - 1 : position + 1),
      ),
      operatorArm('per-aggregate', 'perAggregate, a synchronous step for each event', (source, seen) =>
        source.pipe(perAggregate((event) => [event.position])).subscribe(() => seen(1)),
      ),
      operatorArm('summarize', 'summarize by aggregate, ten events into one', (source, seen) =>
        source
          .pipe(
            summarize({ by: (event) => event.aggregateId, count: 10 }, (count: number | undefined) => (count ?? 0) + 1),
          )
          .subscribe(() => seen(10)),
      ),
    ].map((arm) => ({ ...arm, notQuick: true })),
  ],
});

async function subject(context: ArmContext): Promise<Measurement> {
  const source = new Subject<number>();
  let processed = 0;
  for (let i = 0; i < SUBSCRIBERS; i += 1) source.subscribe(() => (processed += 1));
  const found = await countBursts(context, () => {
    for (let i = 0; i < BURST; i += 1) source.next(i);
    return BURST * SUBSCRIBERS;
  });
  return { ...found, processed };
}

function fanOut(subscribers: number, baseline?: string): Arm {
  return {
    name: `events-${subscribers}-subscribers`,
    question: `committed events to ${subscribers} subscriber${subscribers === 1 ? '' : 's'}, journal in memory`,
    unit: 'deliveries/s',
    ...(baseline === undefined ? {} : { baselines: [baseline] }),
    async run(context) {
      const system = await ActorSystem.start({ name: 'bench', cast: [account], workers: 0, journal: ':memory:' });
      let processed = 0;
      for (let i = 0; i < subscribers; i += 1) system.events.subscribe(() => (processed += 1));
      const found = await countBursts(context, async () => {
        await system.append(account, 'one', deposits(BURST), { expectedVersion: 'any' });
        return BURST * subscribers;
      });
      await system.stop();
      return { ...found, processed };
    },
  };
}

function deposits(count: number): { type: 'account.deposited'; data: { amount: number } }[] {
  return Array.from({ length: count }, () => ({ type: 'account.deposited', data: { amount: 1 } }));
}

async function readAll({ folder, scale }: ArmContext): Promise<Measurement> {
  const count = Math.ceil(scaled(HISTORY, scale, 10_000) / BURST) * BURST;
  const journal = { path: `${folder}/bench.db`, durability: 'os' as const };
  const system = await ActorSystem.start({ name: 'bench', cast: [account], workers: 0, journal });
  for (let i = 0; i < count; i += BURST) {
    await system.append(account, `account-${i}`, deposits(BURST), { expectedVersion: 'any' });
  }
  const found = await timeOnce(count, async () => {
    let read = 0;
    for await (const _event of system.readAll()) read += 1;
    return read;
  });
  await system.stop();
  return found;
}

function operatorArm(
  name: string,
  what: string,
  connect: (source: Subject<RecordedEvent>, seen: (events: number) => void) => unknown,
  /** Which event comes at a place. */
  comes: (place: number) => number = (place) => place,
): Arm {
  return {
    name,
    question: `${what}, over events of 100 aggregates`,
    unit: 'events/s',
    async run(context) {
      const source = new Subject<RecordedEvent>();
      let processed = 0;
      connect(source, (events) => (processed += events));
      let place = 0;
      const found = await countBursts(context, () => {
        for (let i = 0; i < BURST; i += 1) source.next(eventAt(comes((place += 1))));
        return BURST;
      });
      return { ...found, processed };
    },
  };
}

function eventAt(position: number): RecordedEvent {
  const aggregateId = `account-${position % 100}`;
  return {
    position,
    aggregate: 'account',
    aggregateId,
    version: Math.ceil(position / 100),
    type: 'account.deposited',
    schemaVersion: 1,
    data: { amount: 1 },
    id: `event-${position}`,
    commandId: 'c',
    correlationId: 'c',
    causationId: null,
    metadata: {},
    recordedAt: 0,
  };
}
