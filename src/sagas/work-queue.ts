/**
 * Sagas that are durable and wait for their turn: first until their definition lets them begin, then for one of the
 * places that all of them share. A burst of starts waits here as keys; what they begin with stands in the journal.
 */
import type { Clock } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import { RingBuffer } from '../core/ring-buffer.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { Admission } from './admission.js';
import type { RunStart } from './run-surroundings.js';
import type { RuntimeSaga } from './saga-definition.js';
import { nameIn } from './saga-records.js';
import type { Turns } from './turns.js';

export interface WorkQueueOptions {
  readonly definitions: ReadonlyMap<string, RuntimeSaga>;
  readonly clock: Clock;
  readonly turns: Turns;
  /** Sagas at work or being read. */
  readonly working: () => number;
  /** Whether another one may be read from the journal now. */
  readonly mayLoad: () => boolean;
  readonly begin: (start: RunStart) => void;
  readonly load: (key: string) => void;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** Those that may begin as soon as there is a place. */
  readonly #ready = new RingBuffer<string>();
  /** All that wait; those of this life with what they begin with. */
  readonly #queued = new Map<string, RunStart | undefined>();
  /** Of definitions that limit who may begin. */
  readonly #gates = new Map<string, Admission>();
  #roomWaiters: (() => void)[] = [];
  #ended = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    for (const { name, options: settings } of options.definitions.values()) {
      const { flow } = settings;
      if (flow.concurrency === undefined && flow.rate === undefined) continue;
      this.#gates.set(name, new Admission(flow, options.clock, () => this.next()));
    }
  }

  /** A saga waits for its turn. */
  add(key: string, start: RunStart | undefined, lane = ''): void {
    const gate = this.#gates.get(nameIn(key));
    if (gate === undefined) return this.enqueue(key, start);
    this.#note(key, start);
    gate.offer(key, lane);
  }

  /** A saga that its definition lets begin waits for a place. */
  enqueue(key: string, start: RunStart | undefined): void {
    this.#note(key, start);
    this.#ready.push(key);
  }

  /** It has a place of its definition, whether it is at work or not. */
  hold(key: string, lane: string | undefined): void {
    this.#gates.get(nameIn(key))?.hold(key, lane ?? '');
  }

  /** Another one may have the place of this one. */
  release(key: string): void {
    const gate = this.#gates.get(nameIn(key));
    if (gate === undefined) return;
    gate.release(key);
    if (gate.waiting > 0) this.#options.turns.next(() => this.next());
  }

  /** Whether its definition limits who may begin. */
  limits(key: string): boolean {
    return this.#gates.has(nameIn(key));
  }

  /** The key by which its definition limits it, if it does. */
  laneOf(key: string, input: unknown): { readonly lane?: string } {
    const laneOf = this.#options.definitions.get(nameIn(key))?.options.flow.concurrency?.key;
    if (laneOf === undefined) return {};
    const lane = laneOf(input);
    if (typeof lane === 'string') return { lane };
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `saga ${key}: its option concurrency.key gave ${showValue(lane)}; return a text`,
      { details: { saga: key } },
    );
  }

  has(key: string): boolean {
    return this.#queued.has(key);
  }

  /** What it begins with, if that is still in memory. */
  startOf(key: string): RunStart | undefined {
    return this.#queued.get(key);
  }

  /** It doesn't wait any more. */
  take(key: string): void {
    this.#queued.delete(key);
  }

  keys(): IterableIterator<string> {
    return this.#queued.keys();
  }

  get isEmpty(): boolean {
    return this.#queued.size === 0;
  }

  /** Those that will come to their turn without anybody's help: others wait for some that sleep or wait. */
  get moving(): number {
    let moving = this.#queued.size;
    for (const gate of this.#gates.values()) if (gate.blocked) moving -= gate.waiting;
    return moving;
  }

  /** Sagas of a definition that wait for their turn. */
  backlogOf(name: string): number {
    const gate = this.#gates.get(name);
    if (gate !== undefined) return gate.waiting;
    let limited = 0;
    for (const one of this.#gates.values()) limited += one.waiting;
    return this.#queued.size - limited;
  }

  /** Resolves when it is worth looking at the backlog again. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Those that wait for room look again. */
  wakeWaiters(): void {
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
  }

  /** Has as many begin as there are places. */
  next(): void {
    if (this.#ended) return;
    const { working, mayLoad, begin, load } = this.#options;
    this.#admit();
    while (working() < LIMITS.sagaConcurrency) {
      const key = this.#ready.peek();
      if (key === undefined) break;
      if (this.#queued.has(key)) {
        const start = this.#queued.get(key);
        if (start === undefined && !mayLoad()) break;
        this.#queued.delete(key);
        if (start !== undefined) begin(start);
        else load(key);
      }
      this.#ready.shift();
    }
    this.wakeWaiters();
  }

  /** Nobody begins any more. */
  end(): void {
    this.#ended = true;
    for (const gate of this.#gates.values()) gate.end();
    this.wakeWaiters();
  }

  /** Those whose definitions let them begin come into the queue. */
  #admit(): void {
    const { working } = this.#options;
    for (const gate of this.#gates.values()) {
      while (working() + this.#ready.size < LIMITS.sagaConcurrency) {
        const key = gate.next();
        if (key === undefined) break;
        this.#ready.push(key);
      }
    }
  }

  /** Beyond some, what it begins with is read again when its turn has come. */
  #note(key: string, start: RunStart | undefined): void {
    this.#queued.set(key, this.#queued.size < LIMITS.sagaConcurrency ? start : undefined);
  }
}
