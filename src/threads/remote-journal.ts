/**
 * The journal as a worker's cells see it: the one journal of the main thread, at the end of a port.
 *
 * No statement of SQLite ever runs in a thread that may end (the process would abort with it); a worker hands over
 * encoded entries and is told when they are durable.
 */
import { NumberedItems } from '../core/numbered-items.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';
import { atMicrotask } from '../core/microtask.js';
import type { CellJournal, EventFold, JournalEntry, LoadedStream, StoredOutcome, Stream } from '../journal/journal.js';
import {
  COMMIT_NUMBERS,
  type JournalAnswer,
  type JournalAnswers,
  type JournalRequest,
  type JournalRequests,
  type WireEntries,
  type WireExtras,
} from './journal-wire.js';
import { fromWireTroupeError } from '../core/wire-error.js';

/** This side's view of a stream: counts what it has appended. */
class RemoteStream implements Stream {
  readonly aggregate: string;
  readonly id: string;
  readonly number: number;
  head: number;
  alive = true;

  constructor(aggregate: string, id: string, number: number, head: number) {
    this.aggregate = aggregate;
    this.id = id;
    this.number = number;
    this.head = head;
  }
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: TroupeError) => void;
}

/** Gathers entries, column by column. */
class EntryColumns {
  readonly #first: number;
  readonly #numbers: number[] = [];
  readonly #events: string[] = [];
  readonly #commandIds: string[] = [];
  readonly #extras: WireExtras[] = [];

  constructor(first: number) {
    this.#first = first;
  }

  add(entry: JournalEntry, stream: RemoteStream): void {
    const { eventIdHashes, eventlessOutcome, snapshot, timers } = entry;
    if ((eventIdHashes ?? eventlessOutcome ?? snapshot ?? timers) !== undefined)
      this.#extras.push([this.#events.length, eventIdHashes, eventlessOutcome, snapshot, timers]);
    this.#numbers.push(stream.number, entry.baseVersion, entry.eventCount, entry.commandHash);
    this.#events.push(entry.events);
    this.#commandIds.push(entry.commandId);
  }

  get wire(): WireEntries {
    return {
      first: this.#first,
      numbers: this.#numbers,
      events: this.#events,
      commandIds: this.#commandIds,
      extras: this.#extras,
    };
  }
}

export class RemoteJournal implements CellJournal {
  readonly #post: (requests: JournalRequests) => void;
  readonly #entries = new NumberedItems<JournalEntry>();
  readonly #waiting = new Map<number, Waiting>();
  /** What this turn has produced. */
  #columns: EntryColumns | undefined;
  #requests: JournalRequest[] = [];
  #scheduled = false;
  /** Entries are numbered apart from questions: those of one turn follow each other, whatever was asked between them. */
  #lastEntry = 0;
  #lastSeq = 0;
  #head: number;

  constructor(head: number, post: (requests: JournalRequests) => void) {
    this.#head = head;
    this.#post = post;
  }

  /** As far as this side has heard. */
  get head(): number {
    return this.#head;
  }

  /** Entries that are not known to be durable. */
  get pending(): number {
    return this.#entries.size;
  }

  async load(aggregate: string, id: string, snapshotSchemaVersion: number | undefined): Promise<LoadedStream> {
    const loaded = await this.#ask<Extract<JournalAnswer, readonly ['loaded', ...unknown[]]>[2]>((seq) => [
      'load',
      seq,
      aggregate,
      id,
      snapshotSchemaVersion,
    ]);
    return { ...loaded, stream: new RemoteStream(aggregate, id, loaded.stream, loaded.version) };
  }

  release(stream: Stream): void {
    if (stream instanceof RemoteStream) this.#request(['release', stream.number]);
  }

  readStream(aggregate: string, id: string, after: number, to: number): Promise<readonly RecordedEvent[]> {
    return this.#ask((seq) => ['read', seq, aggregate, id, after, to]);
  }

  async replayStream(aggregate: string, id: string, fold: EventFold, to: number): Promise<void> {
    for (const event of await this.readStream(aggregate, id, fold.version, to)) fold.take(event);
  }

  findOutcome(...question: Parameters<CellJournal['findOutcome']>): Promise<StoredOutcome | undefined> {
    return this.#ask((seq) => ['outcome', seq, ...question]);
  }

  findEvents(...question: Parameters<CellJournal['findEvents']>): Promise<readonly RecordedEvent[]> {
    return this.#ask((seq) => ['events', seq, ...question]);
  }

  append(entry: JournalEntry): void {
    // Streams come from `load` of this journal.
    const stream = entry.stream as RemoteStream;
    stream.head += entry.eventCount;
    this.#lastEntry += 1;
    this.#entries.add(this.#lastEntry, entry);
    this.#columns ??= new EntryColumns(this.#lastEntry);
    this.#columns.add(entry, stream);
    this.#schedule();
  }

  /** Answers from the main thread. */
  receive({ head, committed, answers }: JournalAnswers): void {
    this.#head = head;
    for (let at = 0; at < committed.length; at += COMMIT_NUMBERS) {
      this.#ended(committed[at] ?? 0)?.committed(committed[at + 1] ?? 0, committed[at + 2] ?? 0);
    }
    for (const answer of answers) this.#take(answer);
  }

  /** The entry of this number has its outcome. */
  #ended(number: number): JournalEntry | undefined {
    return this.#entries.take(number);
  }

  #take(answer: JournalAnswer): void {
    const [kind, seq, content] = answer;
    if (kind === 'entry-failed') {
      this.#ended(seq)?.failed(fromWireTroupeError(content));
      return;
    }
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    if (kind === 'failed') waiting?.reject(fromWireTroupeError(content));
    // Answers have the type that the request of this number asked for.
    else waiting?.resolve(content as never);
  }

  #ask<T>(request: (seq: number) => JournalRequest): Promise<T> {
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(seq, { resolve, reject });
      this.#request(request(seq));
    });
  }

  #request(request: JournalRequest): void {
    this.#requests.push(request);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    atMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const entries = this.#columns?.wire;
    const requests = this.#requests;
    this.#columns = undefined;
    if (requests.length > 0) this.#requests = [];
    this.#post({ entries, requests });
  };
}
