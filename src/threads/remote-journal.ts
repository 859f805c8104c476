/**
 * The journal as a worker's cells see it: the one journal of the main thread, at the end of a port.
 *
 * No statement of SQLite ever runs in a thread that may end (the process would abort with it); a worker hands over
 * encoded entries and is told when they are durable.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { CellJournal, JournalEntry, LoadedStream, StoredOutcome, Stream } from '../journal/journal.js';
import type { JournalAnswer, JournalAnswers, JournalRequest } from './journal-wire.js';
import { TurnBatch } from './turn-batch.js';
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

export class RemoteJournal implements CellJournal {
  readonly #batch: TurnBatch<JournalRequest>;
  readonly #entries = new Map<number, JournalEntry>();
  readonly #waiting = new Map<number, Waiting>();
  #lastSeq = 0;
  #head: number;

  constructor(head: number, post: (requests: readonly JournalRequest[]) => void) {
    this.#head = head;
    this.#batch = new TurnBatch(post);
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
    if (stream instanceof RemoteStream) this.#batch.add(['release', stream.number]);
  }

  readStream(aggregate: string, id: string, after: number, to: number): Promise<readonly RecordedEvent[]> {
    return this.#ask((seq) => ['read', seq, aggregate, id, after, to]);
  }

  findOutcome(aggregate: string, id: string, commandId: string): Promise<StoredOutcome | undefined> {
    return this.#ask((seq) => ['outcome', seq, aggregate, id, commandId]);
  }

  findEvents(aggregate: string, id: string, eventIds: readonly string[]): Promise<readonly RecordedEvent[]> {
    return this.#ask((seq) => ['events', seq, aggregate, id, eventIds]);
  }

  append(entry: JournalEntry): void {
    // Streams come from `load` of this journal.
    const stream = entry.stream as RemoteStream;
    stream.head += entry.eventCount;
    this.#lastSeq += 1;
    this.#entries.set(this.#lastSeq, entry);
    const {
      baseVersion,
      events,
      eventCount,
      commandId,
      commandHash,
      eventIdHashes,
      eventlessOutcome,
      snapshot,
      timers,
    } = entry;
    this.#batch.add([
      'append',
      this.#lastSeq,
      stream.number,
      baseVersion,
      events,
      eventCount,
      commandId,
      commandHash,
      eventIdHashes,
      eventlessOutcome,
      snapshot,
      timers,
    ]);
  }

  /** Answers from the main thread. */
  receive({ head, answers }: JournalAnswers): void {
    this.#head = head;
    for (const answer of answers) this.#take(answer);
  }

  #take(answer: JournalAnswer): void {
    const seq = answer[1];
    const entry = this.#entries.get(seq);
    if (entry !== undefined) {
      this.#entries.delete(seq);
      if (answer[0] === 'committed') entry.committed(answer[2], answer[3]);
      else if (answer[0] === 'failed') entry.failed(fromWireTroupeError(answer[2]));
      return;
    }
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    if (answer[0] === 'failed') waiting?.reject(fromWireTroupeError(answer[2]));
    // Answers have the type that the request of this number asked for.
    else waiting?.resolve(answer[2] as never);
  }

  #ask<T>(request: (seq: number) => JournalRequest): Promise<T> {
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(seq, { resolve, reject });
      this.#batch.add(request(seq));
    });
  }
}
