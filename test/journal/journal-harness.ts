/** What the tests of the journal share: entries with promises, a clock that jumps, folders that go away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashText } from '../../src/core/fingerprint.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import type { TroupeError } from '../../src/core/troupe-error.js';
import type { Clock } from '../../src/core/clock.js';
import { systemClock } from '../../src/core/clock.js';
import {
  encodeCommand,
  encodeEvent,
  encodeEventType,
  encodeOutcome,
  encodeStream,
} from '../../src/journal/event-codec.js';
import { openJournal, type OpenJournalOptions } from '../../src/journal/open-journal.js';
import type { TimerChange } from '../../src/journal/timer-change.js';
import type {
  EventFold,
  EventPage,
  EventQuery,
  HashesNear,
  Journal,
  JournalEntry,
  StoredOutcome,
  Stream,
} from '../../src/journal/journal.js';

/** What became of an entry. */
export interface Receipt {
  readonly firstPosition: number;
  readonly recordedAt: number;
}

export interface TestCommand {
  readonly commandId?: string;
  /** Data of its events; their number is the number of events. Default: one event with an empty object. */
  readonly data?: readonly unknown[];
  readonly type?: string;
  /** Ids given to its events, by place. */
  readonly ids?: readonly (string | undefined)[];
  readonly reply?: unknown;
  readonly eventlessOutcome?: StoredOutcome;
  readonly snapshot?: { readonly state: string; readonly schemaVersion: number; readonly keep: number };
  readonly timers?: readonly TimerChange[];
  readonly onCommitted?: () => void;
}

let commands = 0;

/** Appends what a command of an aggregate would; resolves when it is durable, rejects when it isn't. */
export function append(journal: Journal, stream: Stream, command: TestCommand = {}): Promise<Receipt> {
  commands += 1;
  const commandId = command.commandId ?? `command-${commands}`;
  const data = command.data ?? (command.eventlessOutcome === undefined ? [{}] : []);
  return new Promise((resolve, reject) => {
    journal.append({
      stream,
      baseVersion: stream.head,
      events: eventTexts(stream, commandId, data, command),
      eventCount: data.length,
      commandId,
      commandHash: hashText(commandId),
      eventIdHashes: command.ids?.flatMap((id) => (id === undefined ? [] : hashText(id))),
      eventlessOutcome: command.eventlessOutcome,
      snapshot: command.snapshot,
      timers: command.timers,
      committed: (firstPosition, recordedAt) => {
        command.onCommitted?.();
        resolve({ firstPosition, recordedAt });
      },
      failed: (error: TroupeError) => {
        reject(error);
      },
    } satisfies JournalEntry);
  });
}

function eventTexts(
  stream: Stream,
  commandId: string,
  data: readonly unknown[],
  { type = 'thing.done', reply, ids = [] }: TestCommand,
): string {
  const head = encodeStream(stream.aggregate, stream.id);
  const command = encodeCommand(commandId, commandId, null, undefined);
  const outcome = encodeOutcome(hashText(commandId), JSON.stringify(reply));
  return data
    .map((value, i) => {
      const event = { definition: { text: encodeEventType(type, 1) }, dataText: JSON.stringify(value), id: ids[i] };
      return encodeEvent(head, command, stream.head + 1 + i, event, i === data.length - 1 ? outcome : 'null');
    })
    .join(',');
}

/** The error code that a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as TroupeError).code;
  }
  return 'it succeeded';
}

/** The error that a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<TroupeError> {
  try {
    await promise;
  } catch (error) {
    return error as TroupeError;
  }
  throw new Error('it succeeded');
}

/** Everything that a query finds, page after page. */
export async function readAll(
  journal: Pick<Journal, 'read'>,
  head: number,
  query: Partial<EventQuery> = {},
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let after = query.after ?? 0;
  while (after < head) {
    const page: EventPage = await journal.read({ limit: 1_000, ...query, after });
    events.push(...page.events);
    if (page.searchedTo <= after) throw new Error(`the search stands still at ${after} of ${head}`);
    after = page.searchedTo;
  }
  return events;
}

/** To look for a command or an event wherever it may stand. */
export const ANYWHERE: readonly number[] = Array.from({ length: 1_000 }, (_, version) => version);

/** All the hashes that a journal tells of, as numbers. */
export function hashesIn(told: readonly HashesNear[]): number[] {
  return told.flatMap(([, hashes]) => hashes.split(/[,;]/).filter((hash) => hash !== '')).map(Number);
}

/** All events of one aggregate, page after page. */
export async function readWhole(journal: Journal, aggregate: string, id: string, after = 0): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const page = await journal.readStream(aggregate, id, events.at(-1)?.version ?? after, Number.MAX_SAFE_INTEGER);
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** Keeps what it is given, and refuses what does not follow. */
export class KeptEvents implements EventFold {
  readonly events: RecordedEvent[] = [];
  version: number;
  readonly #broken: number | undefined;

  /** @param broken the version at which it throws */
  constructor(after = 0, broken?: number) {
    this.version = after;
    this.#broken = broken;
  }

  take(event: RecordedEvent): void {
    if (event.version !== this.version + 1) throw new Error(`${event.version} came behind ${this.version}`);
    if (event.version === this.#broken) throw new Error(`broken at ${event.aggregateId}@${event.version}`);
    this.events.push(event);
    this.version = event.version;
  }
}

/** Hands a fold all events of an aggregate up to a version, step by step. */
export async function replayWhole(journal: Journal, id: string, fold: KeptEvents, to: number): Promise<void> {
  while (fold.version < to) {
    const before = fold.version;
    await journal.replayStream('thing', id, fold, to);
    if (fold.version === before) throw new Error(`nothing comes behind version ${before}`);
  }
}

/** The machine's clock with a wall time that the test sets. */
export function settableClock(startMs: number): Clock & { wallMs: number } {
  return {
    wallMs: startMs,
    now() {
      return this.wallMs;
    },
    monotonic: () => systemClock.monotonic(),
    setTimer: (delayMs, fire, background) => systemClock.setTimer(delayMs, fire, background),
  };
}

/** Runs `use` with the path of a folder that is removed afterwards. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-journal-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs `use` with a journal in a file of its own, and the path of that; the journal is closed afterwards. */
export function inFile(
  options: Omit<OpenJournalOptions, 'path'>,
  use: (journal: Journal, path: string) => Promise<void>,
): Promise<void> {
  return inFolder(async (folder) => {
    const path = join(folder, 'j.db');
    const journal = await openJournal({ ...options, path });
    try {
      await use(journal, path);
    } finally {
      await journal.close();
    }
  });
}
