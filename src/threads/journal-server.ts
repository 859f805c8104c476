/**
 * The journal's side of one worker: appends and reads in its name, and tells it what became of them.
 *
 * When the worker dies, nothing more is taken from it; what it had handed over is committed all the same, and its
 * successor's `load` waits for that (stream-handle.ts).
 */
import { atMicrotask } from '../core/microtask.js';
import type { Journal, JournalEntry, Stream } from '../journal/journal.js';
import {
  ENTRY_NUMBERS,
  type JournalAnswer,
  type JournalAnswers,
  type JournalRequest,
  type JournalRequests,
  type StreamNumber,
  type WireEntries,
  type WireExtras,
} from './journal-wire.js';
import type { TroupeError } from '../core/troupe-error.js';
import { toWireError } from '../core/wire-error.js';

export class JournalServer {
  readonly #journal: Journal;
  readonly #answers: Answers;
  readonly #streams = new Map<StreamNumber, Stream>();
  #lastStream = 0;
  #closed = false;

  constructor(journal: Journal, post: (answers: JournalAnswers) => void) {
    this.#journal = journal;
    this.#answers = new Answers((committed, answers) => {
      if (!this.#closed) post({ head: journal.head, committed, answers });
    });
  }

  receive({ entries, requests }: JournalRequests): void {
    if (this.#closed) return;
    if (entries !== undefined) this.#append(entries);
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
        const [, seq, ...question] = request;
        return this.#answer(
          seq,
          this.#journal.findOutcome(...question).then((outcome) => ['outcome', seq, outcome]),
        );
      }
      case 'events': {
        const [, seq, ...question] = request;
        return this.#answer(
          seq,
          this.#journal.findEvents(...question).then((events) => ['events', seq, events]),
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

  #append({ first, numbers, events, commandIds, extras }: WireEntries): void {
    let nextExtras = 0;
    for (let index = 0; index < events.length; index += 1) {
      const at = index * ENTRY_NUMBERS;
      const more = extras[nextExtras]?.[0] === index ? extras[nextExtras] : undefined;
      if (more !== undefined) nextExtras += 1;
      const stream = this.#streams.get(numbers[at] ?? 0);
      if (stream === undefined) continue;
      this.#journal.append(
        new ServedEntry(
          this.#answers,
          first + index,
          stream,
          numbers[at + 1] ?? 0,
          numbers[at + 2] ?? 0,
          numbers[at + 3] ?? 0,
          events[index] ?? '',
          commandIds[index] ?? '',
          more,
        ),
      );
    }
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

/** Gathers what one turn has to say to the worker. */
class Answers {
  readonly #send: (committed: readonly number[], answers: readonly JournalAnswer[]) => void;
  #committed: number[] = [];
  #answers: JournalAnswer[] = [];
  #scheduled = false;

  constructor(send: (committed: readonly number[], answers: readonly JournalAnswer[]) => void) {
    this.#send = send;
  }

  add(answer: JournalAnswer): void {
    this.#answers.push(answer);
    this.#schedule();
  }

  committed(seq: number, firstPosition: number, recordedAt: number): void {
    this.#committed.push(seq, firstPosition, recordedAt);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    atMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    const committed = this.#committed;
    const answers = this.#answers;
    this.#scheduled = false;
    this.#committed = [];
    this.#answers = [];
    this.#send(committed, answers);
  };
}

/** An entry of the worker's. What waits for its commit outlives a young generation: one object, and no closures. */
class ServedEntry implements JournalEntry {
  readonly stream: Stream;
  readonly baseVersion: number;
  readonly eventCount: number;
  readonly commandHash: number;
  readonly events: string;
  readonly commandId: string;
  readonly #extras: WireExtras | undefined;
  readonly #answers: Answers;
  readonly #seq: number;

  constructor(
    answers: Answers,
    seq: number,
    stream: Stream,
    baseVersion: number,
    eventCount: number,
    commandHash: number,
    events: string,
    commandId: string,
    extras: WireExtras | undefined,
  ) {
    this.#answers = answers;
    this.#seq = seq;
    this.stream = stream;
    this.baseVersion = baseVersion;
    this.eventCount = eventCount;
    this.commandHash = commandHash;
    this.events = events;
    this.commandId = commandId;
    this.#extras = extras;
  }

  get eventIdHashes(): JournalEntry['eventIdHashes'] {
    return this.#extras?.[1];
  }

  get eventlessOutcome(): JournalEntry['eventlessOutcome'] {
    return this.#extras?.[2];
  }

  get snapshot(): JournalEntry['snapshot'] {
    return this.#extras?.[3];
  }

  get timers(): JournalEntry['timers'] {
    return this.#extras?.[4];
  }

  committed(firstPosition: number, recordedAt: number): void {
    this.#answers.committed(this.#seq, firstPosition, recordedAt);
  }

  failed(error: TroupeError): void {
    this.#answers.add(['entry-failed', this.#seq, toWireError(error)]);
  }
}
