/**
 * The parts of the README that are made and not written: the table of limits from the runtime's own defaults, the
 * numbers from the files that benches have left. They stand between `<!-- generated: NAME -->` and `<!-- end -->`.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchRecord, readRecord, rowNamed } from '../../bench/harness/bench-record.js';
import { believable, type Row } from '../../bench/harness/rows.js';
import { readableValue } from '../../bench/harness/table.js';
import { targetText, type Verdict, verdictsOn } from '../../bench/targets.js';
import { LIMITS } from '../../src/core/limits.js';

type Limit = keyof typeof LIMITS;

/** One row of the table: which defaults, what they bound, how to set them, and what happens at the bound. */
export interface LimitRow {
  readonly limits: readonly Limit[];
  readonly what: string;
  /** With the defaults put in by place: `{0}`. */
  readonly value: string;
  readonly set: string;
  readonly beyond: string;
}

const FIXED = '—';

export const LIMIT_ROWS: readonly LimitRow[] = [
  {
    limits: ['mailboxCapacity'],
    what: 'messages waiting in one mailbox; an actor may stash as many',
    value: '{0}',
    set: '`mailbox.capacity`',
    beyond: '`mailbox.overflow`: refused, or the oldest or newest is dropped; `send` waits',
  },
  {
    limits: ['askTimeoutMs'],
    what: 'an ask waits for its reply, a send for room',
    value: '{0}',
    set: '`limits.askTimeout`, `timeout` of a message',
    beyond: '`TROUPE_ASK_TIMEOUT`, `TROUPE_MAILBOX_FULL`',
  },
  {
    limits: ['outcomesPerAggregate'],
    what: 'outcomes without events remembered, per aggregate instance',
    value: '{0}',
    set: '`limits.outcomes`',
    beyond: 'a repeat of an older one is decided anew',
  },
  {
    limits: ['speculativeCommands'],
    what: 'commands of one instance decided while earlier ones are being committed',
    value: '{0}',
    set: FIXED,
    beyond: 'the instance waits for the disk',
  },
  {
    limits: ['passivateAfterMs'],
    what: 'idle time after which an aggregate leaves memory',
    value: '{0}',
    set: '`passivateAfter`',
    beyond: 'it is loaded again with its next message',
  },
  {
    limits: ['snapshotsKept'],
    what: 'snapshots kept of one aggregate, if it has any',
    value: '{0}',
    set: '`snapshot.keep`',
    beyond: 'the oldest goes',
  },
  {
    limits: ['loadBackoffMinMs', 'loadBackoffMaxMs'],
    what: 'wait between attempts to load an aggregate; never above a quarter of the ask timeout',
    value: '{0} to {1}',
    set: FIXED,
    beyond: 'from the second failure on, what waits fails with the error of loading',
  },
  {
    limits: ['reactionAttempts', 'reactionBackoffMinMs', 'reactionBackoffMaxMs'],
    what: 'tries of a reaction at one event, and the wait between them',
    value: '{0}; {1} to {2}',
    set: '`retry`',
    beyond: 'the event is parked',
  },
  {
    limits: ['reactionConcurrency'],
    what: 'events that one reaction handles at a time, one of each key',
    value: '{0}',
    set: FIXED,
    beyond: 'further keys wait in the journal',
  },
  {
    limits: ['sagaAttempts', 'sagaBackoffMinMs', 'sagaBackoffMaxMs'],
    what: 'tries of a step of a saga that may be tried again, and of a compensation; the wait between them',
    value: '{0}; {1} to {2}',
    set: '`retry` of the step',
    beyond: 'the step fails; a compensation is parked',
  },
  {
    limits: ['sagaConcurrency'],
    what: 'sagas at work at a time, those that sleep or wait not counted',
    value: '{0}',
    set: FIXED,
    beyond: 'further ones wait in the journal',
  },
  {
    limits: ['sagaPassivateAfterMs', 'sagasIdleInMemory'],
    what: 'how long a saga that only sleeps or waits stays in memory, and how many of them',
    value: '{0}; {1}',
    set: '`passivateAfter`',
    beyond: 'it leaves memory, and comes back by replay',
  },
  {
    limits: ['sagaStepEndMs'],
    what: 'what the function of a step gets to end when its saga was stopped',
    value: '{0}',
    set: FIXED,
    beyond: 'it is left behind, and the compensations run',
  },
  {
    limits: ['sagaHistoryMs'],
    what: 'what is kept of the steps of a saga after its end; of its result',
    value: '{0}; for ever',
    set: '`keep`',
    beyond: 'they are taken away; with the result the id is free',
  },
  {
    limits: ['childrenMaxRestarts', 'childrenWithinMs'],
    what: 'restarts of an actor within a window',
    value: '{0} in {1}',
    set: '`children`, `supervision`',
    beyond: 'the failure goes to the supervisor above',
  },
  {
    limits: ['childrenBackoffMinMs', 'childrenBackoffMaxMs', 'childrenBackoffJitter'],
    what: 'wait before a restart, and how much of it more by chance',
    value: '{0} to {1}, {2}',
    set: '`children.backoff`',
    beyond: '',
  },
  {
    limits: ['windowEvents', 'windowCharacters'],
    what: 'newest events kept in memory for whoever follows the log',
    value: '{0}, or {1} characters',
    set: FIXED,
    beyond: 'who is further behind reads pages from the file',
  },
  {
    limits: ['readPage'],
    what: 'events in one page of a read',
    value: '{0}',
    set: FIXED,
    beyond: 'the next page is read when asked for',
  },
  {
    limits: ['projectionBatch', 'projectionRowsCached'],
    what: 'events in one transaction of a projection, and rows it keeps in memory',
    value: '{0}; {1}',
    set: FIXED,
    beyond: 'the next transaction; rows are read again',
  },
  {
    limits: ['projectionStalledMs'],
    what: 'time that a projection may be behind without moving',
    value: '{0}',
    set: FIXED,
    beyond: '`health()` shows it',
  },
  {
    limits: ['deadLettersKept'],
    what: 'dead letters kept; parked events beside them, all',
    value: '{0}',
    set: FIXED,
    beyond: 'the oldest give way, and are counted',
  },
  {
    limits: ['dispatcherThroughput', 'dispatcherRoundMs'],
    what: 'messages of one instance in a row; handling before timers and I/O have their turn',
    value: '{0}; {1}',
    set: FIXED,
    beyond: 'the others go on',
  },
  {
    limits: ['stopTimeoutMs', 'actorStopTimeoutMs'],
    what: '`stop()` gives to what is under way, and one actor to its end',
    value: '{0}; {1}',
    set: '`stop({ timeout })`',
    beyond: '`TROUPE_SYSTEM_STOPPED`',
  },
  {
    limits: ['settledTimeoutMs'],
    what: '`settled()` and `caughtUp()` wait',
    value: '{0}',
    set: '`timeout`',
    beyond: '`TROUPE_ASK_TIMEOUT`',
  },
  {
    limits: ['linkCredits', 'linkBacklog'],
    what: 'messages under way from one thread to another; waiting for that',
    value: '{0}; {1}',
    set: FIXED,
    beyond: 'they wait; then `TROUPE_MAILBOX_FULL`, while `send` waits',
  },
  {
    limits: ['timersInMemory', 'timersFiring'],
    what: 'durable timers in memory; firing at a time',
    value: '{0}; {1}',
    set: FIXED,
    beyond: 'the later ones are only in the journal; the others wait for their turn',
  },
  {
    limits: ['reminderAttempts', 'reminderBackoffMinMs', 'reminderBackoffMaxMs'],
    what: 'attempts to bring the message of a reminder to an aggregate that fails, and the wait between them',
    value: '{0}; {1} to {2}',
    set: FIXED,
    beyond: 'it is a dead letter',
  },
  {
    limits: ['offloadBacklog'],
    what: 'functions offloaded to pool threads, waiting or running',
    value: '{0}',
    set: FIXED,
    beyond: '`TROUPE_MAILBOX_FULL`',
  },
  {
    limits: ['workers'],
    what: 'worker threads of one system',
    value: '{0}',
    set: FIXED,
    beyond: '`TROUPE_INVALID_OPTIONS`',
  },
  {
    limits: ['blockedAfterMs'],
    what: "a worker's loop may be blocked",
    value: '{0}',
    set: '`limits.blockedAfter`',
    beyond: 'the worker is replaced',
  },
  {
    limits: ['workerStartMs', 'workerEndMs'],
    what: 'a worker has to load the cast, and to end when told to',
    value: '{0}; {1}',
    set: FIXED,
    beyond: 'the start fails; the thread is ended',
  },
  {
    limits: ['suspectMs'],
    what: 'messages that may have killed a worker are tried alone',
    value: '{0}',
    set: FIXED,
    beyond: 'the others go on',
  },
  {
    limits: ['retireMs'],
    what: 'a worker with too large a heap finishes what it has begun',
    value: '{0}',
    set: '`limits.heapMb`',
    beyond: 'the rest is delivered to its successor',
  },
];

/** Defaults that are no business of users: nothing that they see depends on them, or what they are for is yet to come. */
export const LIMITS_NOT_SHOWN: readonly Limit[] = [
  'dispatcherTurnMs',
  'recentOutcomesPerInstance',
  'recentEventsPerInstance',
  'checkpointEveryMs',
  'sagaEventsKept',
  'linkFrame',
  'timerLookMs',
  'sagaRateStarts',
  'sagaForgetEveryMs',
  'sagaWakeAheadMs',
  'sagaForgetRecords',
  'timerRetryMinMs',
  'timerRetryMaxMs',
  'timerOrphanMs',
  'workerStatusEveryMs',
  'offloadIdleMs',
  'pulseEveryMs',
  'workerNiceness',
  'workerYoungMs',
  'workerBackoffMinMs',
  'workerBackoffMaxMs',
  'heapCollectEveryMs',
  'heapRoomFactor',
  'hardHeapFactor',
  'hardHeapRoomMb',
  'workerOldGenerationMb',
  'workerYoungGenerationMb',
];

/** The table of limits, with today's defaults. */
export function limitsTable(): string {
  const rows = LIMIT_ROWS.map(({ limits, what, value, set, beyond }) => {
    const shown = value.replaceAll(/\{(\d)\}/g, (_, place: string) => readable(limits[Number(place)]));
    return `| ${what} | ${shown} | ${set} | ${beyond} |`;
  });
  return ['| what | default | set by | beyond |', '|---|---|---|---|', ...rows].join('\n');
}

function readable(limit: Limit | undefined): string {
  if (limit === undefined) throw new Error('a row names more places than it has limits');
  const value = LIMITS[limit];
  if (!limit.endsWith('Ms')) return value < 1 ? `${value * 100} %` : value.toLocaleString('en-GB');
  if (value >= 86_400_000) return `${value / 86_400_000} d`;
  if (value >= 60_000) return `${value / 60_000} m`;
  return value >= 1_000 ? `${value / 1_000} s` : `${value} ms`;
}

/**
 * The numbers of the newest file in `bench/results` (the last by name), or what to do when there is none: where they were
 * measured, each target with what was reached, and all rows that stand beside a baseline.
 */
export async function benchTables(root: string): Promise<string> {
  const folder = join(root, 'bench', 'results');
  const files = await readdir(folder).catch((): string[] => []);
  const file = files
    .filter((name) => name.endsWith('.json'))
    .sort()
    .at(-1);
  if (file === undefined) return 'No results are stored yet: run them on your machine.';
  const record = readRecord(join(folder, file));
  const { machine, node, commit, quick } = record;
  const verdicts = verdictsOn(record).filter(({ reached }) => reached !== undefined);
  const met = verdicts.filter(({ isMet }) => isMet).length;
  const chart = files.includes('chart.svg') ? ['![Rows and their baselines as bars](bench/results/chart.svg)', ''] : [];
  return [
    `Measured on ${machine}; Node ${node}; commit ${commit}${quick ? '; a short run' : ''}. All of it:`,
    `[${file}](bench/results/${file}).`,
    '',
    ...chart,
    `Of ${verdicts.length} targets ${met} are reached:`,
    '',
    '| row | what | target | reached | |',
    '|---|---|---|---|---|',
    ...verdicts.map((verdict) => targetRow(record, verdict)),
    '',
    '<details><summary>All rows that stand beside a baseline</summary>',
    '',
    '| row | what | median | ± | p50 | p99 | p99.9 | memory | ratio |',
    '|---|---|---|---|---|---|---|---|---|',
    ...record.results.flatMap((row) => benchRow(record, row)),
    '',
    'p50, p99, p99.9 in µs; – where too little was timed to tell.',
    '',
    '</details>',
  ].join('\n');
}

function targetRow(record: BenchRecord, { target, reached, isMet }: Verdict): string {
  const row = rowNamed(record, target.row);
  const text = targetText(target, row?.unit ?? '');
  return `| \`${target.row}\` | ${row?.question ?? ''} | ${text} | ${readableValue(reached ?? 0)} | ${isMet ? '✓' : 'not reached'} |`;
}

/** A baseline itself stands in the ratios of others. */
function benchRow(record: BenchRecord, row: Row): string[] {
  const name = `${row.suite}.${row.name}`;
  const against = Object.entries(record.ratios).filter(([pair]) => pair.startsWith(`${name}/`));
  if (against.length === 0) return [];
  const ratios = against.map(([pair, ratio]) => `${readableValue(ratio)} of ${pair.slice(pair.indexOf('/') + 1)}`);
  const { spread, p50, p99, p999 } = believable(row);
  const times = [p50, p99, p999].map((time) => (time === undefined ? '–' : readableValue(time)));
  const share = spread === undefined ? '–' : `${Math.round(spread * 100)} %`;
  const value = `${readableValue(row.value)} ${row.unit}`;
  return [
    `| ${name} | ${row.question} | ${value} | ${share} | ${times.join(' | ')} | ${Math.round(row.memoryMb)} MB | ${ratios.join(', ')} |`,
  ];
}

/** The README with its made parts made anew. */
export async function withFreshBlocks(readme: string, root: string): Promise<string> {
  const blocks: ReadonlyMap<string, string> = new Map([
    ['limits', limitsTable()],
    ['bench', await benchTables(root)],
  ]);
  return readme.replaceAll(/<!-- generated: (\w+) -->\n[^]*?<!-- end -->/g, (_, name: string) => {
    const made = blocks.get(name);
    if (made === undefined) throw new Error(`nobody makes a block ${name}; there are ${[...blocks.keys()].join(', ')}`);
    return `<!-- generated: ${name} -->\n\n${made}\n\n<!-- end -->`;
  });
}
