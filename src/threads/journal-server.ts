/**
 * The journal's side of one worker: appends and reads in its name, and tells it what became of them.
 *
 * When the worker dies, nothing more is taken from it; what it had handed over is committed all the same, and its
 * successor's `load` waits for that (stream-handle.ts).
 */
import type { Journal, JournalEntry, Stream } from '../journal/journal.js';
import type { JournalAnswer, JournalAnswers, JournalRequest, StreamNumber } from './journal-wire.js';
import { TurnBatch } from './turn-batch.js';
import type { TroupeError } from '../core/troupe-error.js';
import { toWireError } from '../core/wire-error.js';

type AppendRequest = Extract<JournalRequest, readonly ['append', ...unknown[]]>;

export class JournalServer {
  readonly #journal: Journal;
  readonly #answers: TurnBatch<JournalAnswer>;
  readonly #streams = new Map<StreamNumber, Stream>();
  #lastStream = 0;
  #closed = false;

  constructor(journal: Journal, post: (answers: JournalAnswers) => void) {
    this.#journal = journal;
    this.#answers = new TurnBatch((answers) => {
      if (!this.#closed) post({ head: journal.head, answers });
    });
  }

  receive(requests: readonly JournalRequest[]): void {
    if (this.#closed) return;
    for (const request of requests) this.#take(request);
  }

  /** The worker is gone. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#streams.values()) this.#journal.release(stream);
    this.#streams.clear();
  }

  #take(request: JournalRequest): void {
    switch (request[0]) {
      case 'append':
        return this.#append(request);
      case 'load':
        return this.#answer(request[1], this.#load(request));
      case 'read': {
        const [, seq, aggregate, id, after, to] = request;
        return this.#answer(
          seq,
          this.#journal.readStream(aggregate, id, after, to).then((events) => ['events', seq, events]),
        );
      }
      case 'outcome': {
        const [, seq, aggregate, id, commandId] = request;
        return this.#answer(
          seq,
          this.#journal.findOutcome(aggregate, id, commandId).then((outcome) => ['outcome', seq, outcome]),
        );
      }
      case 'events': {
        const [, seq, aggregate, id, eventIds] = request;
        return this.#answer(
          seq,
          this.#journal.findEvents(aggregate, id, eventIds).then((events) => ['events', seq, events]),
        );
      }
      case 'release': {
        const stream = this.#streams.get(request[1]);
        if (stream !== undefined) this.#journal.release(stream);
        this.#streams.delete(request[1]);
        return;
      }
    }
  }

  #append(request: AppendRequest): void {
    const [, seq, number] = request;
    const stream = this.#streams.get(number);
    if (stream === undefined) return;
    this.#journal.append(new ServedEntry(this.#answers, seq, stream, request));
  }

  async #load(request: Extract<JournalRequest, readonly ['load', ...unknown[]]>): Promise<JournalAnswer> {
    const [, seq, aggregate, id, snapshotSchemaVersion] = request;
    const { stream, version, snapshot, commandHashes } = await this.#journal.load(aggregate, id, snapshotSchemaVersion);
    if (this.#closed) {
      this.#journal.release(stream);
      return ['loaded', seq, { stream: 0, version, snapshot: undefined, commandHashes: [] }];
    }
    this.#lastStream += 1;
    this.#streams.set(this.#lastStream, stream);
    return ['loaded', seq, { stream: this.#lastStream, version, snapshot, commandHashes }];
  }

  #answer(seq: number, answer: Promise<JournalAnswer>): void {
    answer.then(
      (done) => this.#answers.add(done),
      (error: unknown) => this.#answers.add(['failed', seq, toWireError(error)]),
    );
  }
}

/** An entry of the worker's. What waits for its commit outlives a young generation: one object, and no closures. */
class ServedEntry implements JournalEntry {
  readonly stream: Stream;
  readonly baseVersion: number;
  readonly events: string;
  readonly eventCount: number;
  readonly commandId: string;
  readonly commandHash: number;
  readonly eventIdHashes: JournalEntry['eventIdHashes'];
  readonly eventlessOutcome: JournalEntry['eventlessOutcome'];
  readonly snapshot: JournalEntry['snapshot'];
  readonly timers: JournalEntry['timers'];
  readonly #answers: TurnBatch<JournalAnswer>;
  readonly #seq: number;

  constructor(answers: TurnBatch<JournalAnswer>, seq: number, stream: Stream, request: AppendRequest) {
    this.#answers = answers;
    this.#seq = seq;
    this.stream = stream;
    this.baseVersion = request[3];
    this.events = request[4];
    this.eventCount = request[5];
    this.commandId = request[6];
    this.commandHash = request[7];
    this.eventIdHashes = request[8];
    this.eventlessOutcome = request[9];
    this.snapshot = request[10];
    this.timers = request[11];
  }

  committed(firstPosition: number, recordedAt: number): void {
    this.#answers.add(['committed', this.#seq, firstPosition, recordedAt]);
  }

  failed(error: TroupeError): void {
    this.#answers.add(['failed', this.#seq, toWireError(error)]);
  }
}
