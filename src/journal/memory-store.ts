/**
 * What a journal in memory keeps: pages of encoded events, and an index by aggregate, as in the file.
 *
 * Events stay texts, so that what a reader gets is made anew each time, as it would be from disk.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { CommitGroup } from './commit-group.js';
import { outcomeIn, selectEvents, selectIds, selectVersions } from './event-page.js';
import type { StoredPage } from './event-page.js';
import type {
  EventPage,
  EventQuery,
  HashesNear,
  LoadedStream,
  RecordRange,
  StoredOutcome,
  StoredRecord,
  StoredSnapshot,
} from './journal.js';
import { WITHOUT_EVENTS } from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import { MemoryTimers } from './memory-timers.js';
import type { JournalStore, StoreHead } from './journal-store.js';
import { streamKey } from './stream-handle.js';

interface MemorySnapshot extends StoredSnapshot {
  readonly schemaVersion: number;
}

interface MemoryStream {
  readonly number: number;
  readonly aggregate: string;
  version: number;
  outcomeSeq: number;
  readonly rows: {
    readonly firstVersion: number;
    readonly lastVersion: number;
    readonly page: StoredPage;
    readonly hashes: string;
  }[];
  /** By command id, oldest first. */
  readonly outcomes: Map<string, StoredOutcome & { readonly hash: number }>;
  /** Newest first. */
  snapshots: MemorySnapshot[];
}

export class MemoryStore implements JournalStore {
  readonly #outcomesKept: number;
  readonly #pages: StoredPage[] = [];
  readonly #streams = new Map<string, MemoryStream>();
  /** JSON texts by kind and key. */
  readonly #records = new Map<string, Map<string, string>>();
  readonly timers = new MemoryTimers();

  constructor(outcomesKept: number) {
    this.#outcomesKept = outcomesKept;
  }

  /** All at once, a turn of the event loop later, so that a busy system leaves room for timers. */
  async commit(group: CommitGroup): Promise<number> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    let bytes = 0;
    for (const page of group.pages) {
      this.#pages.push({ ...page, recordedAt: group.recordedAt });
      bytes += page.body.length;
    }
    for (const { key, aggregate, number } of group.newStreams) {
      this.#streams.set(key, {
        number,
        aggregate,
        version: 0,
        outcomeSeq: 0,
        rows: [],
        outcomes: new Map(),
        snapshots: [],
      });
    }
    for (const { stream, firstVersion, lastVersion, position, hashes } of group.rows) {
      const kept = this.#stream(stream.key);
      const page = this.#pages[this.#indexOf(position)];
      if (page === undefined) throw new Error(`position ${position} is not in this commit`);
      kept.rows.push({ firstVersion, lastVersion, page, hashes });
      kept.version = lastVersion;
    }
    for (const { stream, seq, commandId, commandHash, fingerprint, outcome } of group.outcomes) {
      const { outcomes } = this.#stream(stream.key);
      // What is kept goes through JSON, as it does on disk.
      const kept = JSON.parse(JSON.stringify(outcome)) as typeof outcome;
      outcomes.set(commandId, { hash: commandHash, fingerprint, outcome: kept });
      this.#stream(stream.key).outcomeSeq = seq;
      for (const oldest of outcomes.keys()) {
        if (outcomes.size <= this.#outcomesKept) break;
        outcomes.delete(oldest);
      }
    }
    for (const { stream, version, state, schemaVersion, keep } of group.snapshots) {
      const kept = this.#stream(stream.key);
      kept.snapshots = [
        { version, state, schemaVersion },
        ...kept.snapshots.filter((s) => s.version !== version),
      ].slice(0, keep);
    }
    for (const { kind, key, text } of group.records.values()) {
      const records = this.#records.get(kind) ?? new Map<string, string>();
      this.#records.set(kind, records);
      if (text === undefined) records.delete(key);
      else records.set(key, text);
    }
    this.timers.write(group.timers.values());
    return bytes;
  }

  async readHead(): Promise<StoreHead> {
    const last = this.#pages.at(-1);
    return { position: last?.lastPosition ?? 0, streams: this.#streams.size, recordedAt: last?.recordedAt ?? 0 };
  }

  landed(): void {
    // Nothing is remembered beside the content.
  }

  async holds(group: CommitGroup): Promise<boolean> {
    return this.#pages.at(-1)?.lastPosition === group.position;
  }

  async reload(): Promise<void> {
    // Nobody else writes here.
  }

  load(
    aggregate: string,
    id: string,
    snapshotSchemaVersion: number | undefined,
  ): { readonly loaded: Omit<LoadedStream, 'stream'>; readonly number: number; readonly outcomeSeq: number } {
    const stream = this.#streams.get(streamKey(aggregate, id));
    const commandHashes: HashesNear[] = [];
    for (const row of stream?.rows ?? []) commandHashes.push([row.firstVersion, row.hashes]);
    for (const { hash } of stream?.outcomes.values() ?? []) commandHashes.push([WITHOUT_EVENTS, String(hash)]);
    const snapshot = stream?.snapshots.find((kept) => kept.schemaVersion === snapshotSchemaVersion);
    return {
      loaded: {
        version: stream?.version ?? 0,
        snapshot: snapshot === undefined ? undefined : { version: snapshot.version, state: snapshot.state },
        commandHashes,
      },
      number: stream?.number ?? 0,
      outcomeSeq: stream?.outcomeSeq ?? 0,
    };
  }

  readStream(aggregate: string, id: string, after: number, to: number): readonly RecordedEvent[] {
    const events: RecordedEvent[] = [];
    const rows = this.#streams.get(streamKey(aggregate, id))?.rows ?? [];
    const first = firstIndex(rows.length, (i) => (rows[i]?.lastVersion ?? 0) > after);
    let chars = 0;
    for (let i = first; i < rows.length; i += 1) {
      const row = rows[i];
      if (row === undefined || events.length >= JOURNAL_LIMITS.readEvents || chars > JOURNAL_LIMITS.readChars) break;
      const firstVersion = Math.max(row.firstVersion, after + 1);
      selectVersions(row.page, { aggregate, id, firstVersion, lastVersion: Math.min(row.lastVersion, to) }, events);
      chars += row.page.body.length;
    }
    return events;
  }

  findOutcome(aggregate: string, id: string, commandId: string, near: readonly number[]): StoredOutcome | undefined {
    const stream = this.#streams.get(streamKey(aggregate, id));
    for (const row of rowsNear(stream, near)) {
      const found = outcomeIn(row.page, { aggregate, id, ...row }, commandId);
      if (found !== undefined) return found;
    }
    const kept = near.includes(WITHOUT_EVENTS) ? stream?.outcomes.get(commandId) : undefined;
    return kept === undefined ? undefined : { fingerprint: kept.fingerprint, outcome: kept.outcome };
  }

  findEvents(
    aggregate: string,
    id: string,
    eventIds: readonly string[],
    near: readonly number[],
  ): readonly RecordedEvent[] {
    const events: RecordedEvent[] = [];
    const ids = new Set(eventIds);
    for (const { firstVersion, lastVersion, page } of rowsNear(this.#streams.get(streamKey(aggregate, id)), near)) {
      selectIds(page, { aggregate, id, firstVersion, lastVersion }, ids, events);
    }
    return events;
  }

  read(query: EventQuery): EventPage {
    const { after, aggregate, id } = query;
    const limit = Math.min(query.limit, JOURNAL_LIMITS.readEvents);
    const filter = { after, aggregate, id, types: query.types === undefined ? undefined : new Set(query.types) };
    const events: RecordedEvent[] = [];
    const pages = this.#pages;
    let searchedTo = Math.max(after, 0);
    const first = this.#indexOf(after + 1);
    let chars = 0;
    for (let i = first; i < pages.length; i += 1) {
      const page = pages[i];
      if (page === undefined || events.length >= limit || chars > JOURNAL_LIMITS.readChars) break;
      chars += page.body.length;
      searchedTo = selectEvents(page, filter, limit, events);
      if (searchedTo < page.lastPosition) break;
    }
    return { events, searchedTo };
  }

  readPages(after: number): readonly StoredPage[] {
    if (after >= (this.#pages.at(-1)?.lastPosition ?? 0)) return [];
    const first = this.#indexOf(after + 1);
    return this.#pages.slice(first, first + JOURNAL_LIMITS.readPages);
  }

  readRecords(kind: string, { after = '', before, limit = Infinity }: RecordRange = {}): StoredRecord[] {
    return Array.from(this.#records.get(kind) ?? [])
      .filter(([key]) => key > after && (before === undefined || key < before))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
  }

  findRecords(kind: string, keys: readonly string[]): unknown[] {
    const records = this.#records.get(kind);
    return keys.map((key) => {
      const text = records?.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    });
  }

  /** Index of the page that holds a position, or would hold it. */
  #indexOf(position: number): number {
    return firstIndex(this.#pages.length, (i) => (this.#pages[i]?.lastPosition ?? 0) >= position);
  }

  #stream(key: string): MemoryStream {
    const stream = this.#streams.get(key);
    if (stream === undefined) throw new Error(`${key} has no number`);
    return stream;
  }
}

/** The rows that hold these versions, each once, in order. */
function rowsNear(stream: MemoryStream | undefined, near: readonly number[]): MemoryStream['rows'] {
  const rows = stream?.rows ?? [];
  const indexes = new Set(
    near.map((version) => firstIndex(rows.length, (i) => (rows[i]?.lastVersion ?? 0) >= version)),
  );
  return Array.from(indexes)
    .sort((a, b) => a - b)
    .flatMap((index) => rows[index] ?? []);
}

/** The first index for which `isBehind` holds, of indexes sorted so that it holds for all later ones; `length` if none. */
function firstIndex(length: number, isBehind: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBehind(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
