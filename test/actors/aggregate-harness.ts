/**
 * Aggregates on one thread without a system: router, host, references, and a journal in memory that can be told to
 * hold appends back, to fail commits and loads. Time stands still (ManualClock); dead letters and log lines are kept.
 */
import type { ActorRef } from '../../src/actors/actor-ref.js';
import type { RuntimeAggregate } from '../../src/actors/aggregate-definition.js';
import { AggregateHost } from '../../src/actors/aggregate-host.js';
import { Dispatcher } from '../../src/actors/dispatcher.js';
import { RoutedRef } from '../../src/actors/routed-ref.js';
import {
  APPEND,
  AppendRequest,
  type EventToAppend,
  type ExpectedVersion,
  SHOW_STATE,
  StateRequest,
} from '../../src/actors/system-request.js';
import { toDeadLetters } from '../../src/actors/undeliverable.js';
import type { DeadLetter, DeadLetterSink } from '../../src/core/dead-letter.js';
import { Deadlines } from '../../src/core/deadlines.js';
import { isTroupeError, type TroupeError } from '../../src/core/troupe-error.js';
import type { Journal, JournalEntry, LoadedStream } from '../../src/journal/journal.js';
import { MemoryJournal } from '../../src/journal/memory-journal.js';
import { Router } from '../../src/system/router.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';

export type Moment = 'before' | 'after' | 'head';

export interface HarnessOptions {
  readonly clock?: ManualClock;
  /** Another thread's journal, to come back from. */
  readonly journal?: MemoryJournal;
  readonly outcomes?: number;
  readonly askTimeoutMs?: number;
}

/** A reference as JavaScript sees it: any type, any payload. */
export type LooseRef = Pick<RoutedRef, 'tell' | 'send' | 'ask' | 'name' | 'id'>;

export class AggregateHarness<D extends RuntimeAggregate = RuntimeAggregate> {
  readonly clock: ManualClock;
  readonly letters: DeadLetter[] = [];
  readonly logged: string[] = [];
  readonly memory: MemoryJournal;
  readonly host: AggregateHost;
  readonly definition: D;
  /** Says of each commit whether and when it fails; commits are counted from 1. */
  fault: ((commit: number, moment: Moment) => Error | undefined) | undefined;
  /** Called before each load; what it throws is what the load fails with. */
  onLoad: (() => void | Promise<void>) | undefined;
  /** Told of each dead letter, at once. */
  onLetter: ((letter: DeadLetter) => void) | undefined;
  loads = 0;
  readonly #router = new Router();
  readonly #deadlines: Deadlines;
  readonly #askTimeoutMs: number;
  #held: JournalEntry[] | undefined;
  #ids = 0;

  constructor(definition: D, options: HarnessOptions = {}) {
    this.definition = definition;
    this.clock = options.clock ?? new ManualClock();
    this.#askTimeoutMs = options.askTimeoutMs ?? 5_000;
    this.#deadlines = new Deadlines(this.clock);
    this.memory =
      options.journal ??
      new MemoryJournal({
        clock: this.clock,
        outcomes: options.outcomes,
        fault: (commit, moment) => this.fault?.(commit, moment),
      });
    const write = (message: string): void => void this.logged.push(message);
    this.host = new AggregateHost(
      {
        journal: this.#journal(),
        dispatcher: new Dispatcher(this.clock),
        deadLetters: this.#sink,
        facts: { tell: () => undefined },
        clock: this.clock,
        log: { debug: write, info: write, warn: write, error: write },
        newId: () => `id-${(this.#ids += 1)}`,
        askTimeoutMs: this.#askTimeoutMs,
      },
      definition,
    );
    this.#router.add({ kind: 'aggregate', definition, host: this.host });
  }

  ref(id: string): ActorRef<D> {
    return this.loose(id) as unknown as ActorRef<D>;
  }

  loose(id: string): LooseRef {
    return new RoutedRef(
      {
        post: this.#router,
        deadlines: this.#deadlines,
        askTimeoutMs: this.#askTimeoutMs,
        isQuery: (target, type) => this.#router.isQuery(target, type),
        withdraw: (envelope) => this.#router.withdraw(envelope),
        undelivered: (envelope, error) => toDeadLetters(this.#sink, envelope, error),
        stop: async () => undefined,
      },
      this.definition.name,
      id,
    );
  }

  state(id: string): Promise<unknown> {
    return this.loose(id).ask(SHOW_STATE, new StateRequest());
  }

  append(
    id: string,
    events: readonly EventToAppend[],
    options: { readonly expectedVersion?: ExpectedVersion; readonly commandId?: string } = {},
  ): Promise<unknown> {
    const { expectedVersion = 'any', commandId } = options;
    const id_ = commandId === undefined ? {} : { id: commandId };
    return this.loose(id).ask(APPEND, new AppendRequest(events, expectedVersion), { receipt: true, ...id_ });
  }

  /** What is appended from now on waits for `release`. */
  hold(): void {
    this.#held ??= [];
  }

  /** Entries held back. */
  get held(): number {
    return this.#held?.length ?? 0;
  }

  /** Lets everything held back go to the journal, in order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const entry of held) this.memory.append(entry);
  }

  /** Makes the next commits fail: all of them until `count` have. */
  failNext(count = 1, moment: Moment = 'before'): void {
    let left = count;
    this.fault = (_commit, now) => {
      if (now !== moment || left === 0) return undefined;
      left -= 1;
      return new Error('the disk is full');
    };
  }

  /** Everything that can happen without time has happened. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await this.clock.advance(0);
    while (this.memory.metrics().entriesWaiting > 0) await this.clock.advance(0);
  }

  /** Events of one aggregate as `version type data`. */
  async eventsOf(id: string): Promise<string[]> {
    const texts: string[] = [];
    for (let after = 0; ; ) {
      const page = await this.memory.readStream(this.definition.name, id, after, Number.MAX_SAFE_INTEGER);
      for (const event of page) texts.push(`${event.version} ${event.type} ${JSON.stringify(event.data)}`);
      const last = page.at(-1);
      if (last === undefined) return texts;
      after = last.version;
    }
  }

  /** Dead letters as `reason type`, in order. */
  get dropped(): string[] {
    return this.letters.map(({ reason, type }) => `${reason} ${type}`);
  }

  get #sink(): DeadLetterSink {
    return {
      add: (letter) => {
        const kept = { id: `letter-${this.letters.length}`, ...letter, at: this.clock.now() };
        this.letters.push(kept);
        this.onLetter?.(kept);
        return kept;
      },
      remove: () => undefined,
    };
  }

  #journal(): Journal {
    const { memory } = this;
    const load = async (name: string, id: string, version: number | undefined): Promise<LoadedStream> => {
      this.loads += 1;
      await this.onLoad?.();
      return memory.load(name, id, version);
    };
    const append = (entry: JournalEntry): void => {
      if (this.#held === undefined) memory.append(entry);
      else this.#held.push(entry);
    };
    return new Proxy<Journal>(memory, {
      get(target, key) {
        if (key === 'load') return load;
        if (key === 'append') return append;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

/** Code of what a promise rejects with, with the reason of a rejection; `'resolved'` if it doesn't. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => {
      if (!isTroupeError(error)) return String(error);
      return error.reason === undefined ? error.code : `${error.code}:${error.reason}`;
    },
  );
}

/** What a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<TroupeError> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}; a rejection was expected`);
    },
    (error: unknown) => {
      if (!isTroupeError(error)) throw error;
      return error;
    },
  );
}

/** Whether a promise is settled by now, and how. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  const pending = Symbol('pending');
  return Promise.race([promise, Promise.resolve(pending)]).then(
    (value) => (value === pending ? 'pending' : 'resolved'),
    () => 'rejected',
  );
}
