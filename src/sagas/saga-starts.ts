/**
 * Starts of sagas: each id once, durable before anything of it runs, whoever asks for it at the same time.
 *
 * Runs are numbered in order of their starts, within a process by a counter and among processes by time; so a key's
 * order is that in which they began.
 */
import { nanoid } from 'nanoid';
import type { Clock } from '../core/clock.js';
import type { Journal } from '../journal/journal.js';
import type { RunStart } from './run-surroundings.js';
import { History } from './saga-entries.js';
import { headRecord, rowRecord, type SagaHead } from './saga-records.js';
import type { SagaStore } from './saga-store.js';
import type { WorkQueue } from './work-queue.js';

/** What is known of a saga before it starts. */
export type StartFacts = Omit<SagaHead, 'run' | 'generation' | 'startedAt'>;

export interface SagaStartsOptions {
  readonly journal: Journal;
  readonly store: SagaStore;
  readonly clock: Clock;
  readonly queue: WorkQueue;
  /** Whether a saga is known to live. */
  readonly isHere: (key: string) => boolean;
  /** One has been started by this call. */
  readonly started: (key: string) => void;
}

export class SagaStarts {
  readonly #options: SagaStartsOptions;
  readonly #underWay = new Map<string, Promise<boolean>>();
  readonly #runPrefix: string;
  #runCount = 0;

  constructor(options: SagaStartsOptions) {
    this.#options = options;
    const startedMs = Math.max(0, Math.floor(options.clock.now()));
    this.#runPrefix = `${startedMs.toString(36).padStart(9, '0')}${nanoid(4).replaceAll('~', '-')}`;
  }

  /** Starts that are not durable yet. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Resolves when a start that is under way is over. */
  async over(key: string): Promise<void> {
    await this.#underWay.get(key);
  }

  /** Starts a saga; false: it has been started before. */
  start(key: string, id: string, facts: StartFacts, input: unknown): Promise<boolean> {
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay.then(() => false);
    if (this.#options.isHere(key)) return Promise.resolve(false);
    const starting = this.#startNew(key, id, facts, input).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, starting);
    return starting;
  }

  async #startNew(key: string, id: string, { metadata, ...facts }: StartFacts, input: unknown): Promise<boolean> {
    const { journal, store, clock, queue, started } = this.#options;
    const { head: known, end } = await store.find(key);
    if (known !== undefined || end !== undefined) return false;
    this.#runCount += 1;
    const head: SagaHead = {
      ...facts,
      ...(metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata }),
      run: `${this.#runPrefix}${this.#runCount.toString(36).padStart(8, '0')}`,
      generation: 0,
      startedAt: clock.now(),
      ...queue.laneOf(key, input),
    };
    const first = head.byEvent ? [] : [{ input }];
    const rows = first.length === 0 ? [] : [rowRecord(head.run, 0, first)];
    await journal.writeRecords([headRecord(key, head), ...rows]);
    started(key);
    const history = new History(first);
    const start: RunStart = {
      key,
      id,
      head,
      input,
      history,
      rows: rows.length,
      events: new Map(),
      searchedTo: new Map(),
    };
    queue.add(key, start, head.lane);
    queue.next();
    return true;
  }
}
