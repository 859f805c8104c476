/**
 * Succession: what happens when a worker dies, from its last words to the moment its successor takes its place.
 *
 * The others hear of it before the successor is there, so that nothing is sent into the void. The successor first gets
 * what may have killed the dead one, one message at a time, while it handles nothing else (promise 4); then its plain
 * actors begin another life; then everything else goes to it.
 */
import { systemClock } from '../core/clock.js';
import { suspectsOf } from '../core/handling-mark.js';
import type { FactSink } from '../core/runtime-fact.js';
import { LIMITS } from '../core/limits.js';
import { MessageChannel } from '../threads/channel.js';
import type { Links } from '../threads/links.js';
import type { ThreadIndex } from '../threads/placement.js';
import { workerLost } from '../threads/worker-lost.js';
import type { LossReason, WorkerHandle } from './worker-handle.js';

/** What the succession needs of the workers. */
export interface SuccessionSurroundings {
  readonly links: Links;
  /** The living, those that start included. */
  readonly workers: Map<ThreadIndex, WorkerHandle>;
  /** Makes a worker, and puts it among the living. */
  make(index: ThreadIndex): WorkerHandle;
  /** Spawns the plain actors of a worker again. */
  readonly respawn: (worker: WorkerHandle) => Promise<void>;
  readonly facts: FactSink;
}

/** A worker that is being replaced. */
export interface Vacancy {
  readonly index: ThreadIndex;
  readonly error: string;
}

export class Succession {
  readonly #around: SuccessionSurroundings;
  readonly #losses = new Map<LossReason, number>();
  readonly #vacant = new Map<
    ThreadIndex,
    { readonly filled: Promise<void>; readonly sinceMs: number; error: string }
  >();
  /** Deaths of young workers in a row. */
  readonly #early = new Map<ThreadIndex, number>();
  #closed = false;

  constructor(around: SuccessionSurroundings) {
    this.#around = around;
  }

  /** Workers lost so far, by reason. */
  get losses(): Readonly<Partial<Record<LossReason, number>>> {
    return Object.fromEntries(this.#losses);
  }

  /** Workers being replaced. */
  vacancies(): Vacancy[] {
    return Array.from(this.#vacant, ([index, { error }]) => ({ index, error }));
  }

  /** Resolves when this worker is being replaced no more; undefined when it isn't. */
  filled(index: ThreadIndex): Promise<void> | undefined {
    return this.#vacant.get(index)?.filled;
  }

  /** Nobody is replaced any more. */
  close(): void {
    this.#closed = true;
  }

  /** Starts the first worker of each index; all have to load the cast. */
  async begin(workers: number): Promise<void> {
    const all = Array.from({ length: workers }, (_, i) => this.#around.make(i + 1));
    await Promise.all(all.map((worker) => worker.started));
    for (const worker of all) {
      this.#connect(worker, true);
      worker.ready = true;
    }
    // Nobody may hear of a child from one that he is connected to before he is connected to where it lives.
    await Promise.all(all.map(({ control }) => control.call('introduced')));
    for (const worker of all) {
      worker.takePlace();
      const afterMs = systemClock.monotonic() - worker.startedMs;
      this.#around.facts.tell({ kind: 'worker-ready', worker: worker.index, afterMs });
    }
  }

  /** A worker has died: what it had handed over counts, its successor gets the rest again. */
  lost(worker: WorkerHandle, cause: unknown): void {
    const { links, workers, facts } = this.#around;
    const { index } = worker;
    if (workers.get(index) !== worker) return;
    workers.delete(index);
    const reason = worker.lossReason(cause);
    this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + 1);
    const error = workerLost(index, cause);
    const suspects = suspectsOf(worker.memory);
    facts.tell({ kind: 'worker-lost', worker: index, reason, error });
    worker.close(error);
    links.lost(index, error, suspects);
    for (const other of workers.values()) {
      other.peers.delete(worker);
      other.control.note('lost', { index, suspects });
    }
    const young = systemClock.monotonic() - worker.startedMs < LIMITS.workerYoungMs;
    this.#early.set(index, young ? (this.#early.get(index) ?? 0) + 1 : 0);
    const vacancy = this.#vacant.get(index);
    if (vacancy !== undefined) vacancy.error = error.message;
    else if (!this.#closed) {
      const filled = this.#fill(index).finally(() => this.#vacant.delete(index));
      this.#vacant.set(index, { filled, sinceMs: systemClock.monotonic(), error: error.message });
    }
  }

  /** Replaces a worker that takes too much memory, as soon as it has come to rest, or the time for that is up. */
  async retire(worker: WorkerHandle, text: string): Promise<void> {
    if (worker.retiring || worker.gone || this.#closed) return;
    worker.retiring = true;
    const { links, facts } = this.#around;
    facts.tell({ kind: 'worker-retired', worker: worker.index, because: text });
    links.pause(worker.index);
    const paused = [...worker.peers].map((other) => other.control.call('pause', worker.index));
    await within(Promise.allSettled(paused), LIMITS.retireMs);
    await within(worker.control.call('rest', { timeoutMs: LIMITS.retireMs }), LIMITS.retireMs + LIMITS.pulseEveryMs);
    if (!worker.gone && !this.#closed) worker.end('heap', text);
  }

  /** Tries until there is a successor. */
  async #fill(index: ThreadIndex): Promise<void> {
    while (!this.#closed) {
      const early = Math.min(this.#early.get(index) ?? 0, 10);
      if (early > 1) await pause(Math.min(LIMITS.workerBackoffMaxMs, LIMITS.workerBackoffMinMs * 2 ** (early - 2)));
      if (this.#closed) return;
      const worker = this.#around.make(index);
      try {
        await worker.started;
        await this.#introduce(worker);
        const afterMs = systemClock.monotonic() - (this.#vacant.get(index)?.sinceMs ?? worker.startedMs);
        this.#around.facts.tell({ kind: 'worker-ready', worker: index, afterMs });
        return;
      } catch (error) {
        const vacancy = this.#vacant.get(index);
        if (vacancy !== undefined && error instanceof Error) vacancy.error = error.message;
        // One that could not start may still be alive; its end is the next loss.
        if (!worker.gone) worker.end('error', 'it could not take its place');
        await worker.ended;
      }
    }
  }

  async #introduce(worker: WorkerHandle): Promise<void> {
    const { links, workers, respawn } = this.#around;
    const { index } = worker;
    const here = (): void => {
      if (worker.gone) throw workerLost(index);
    };
    here();
    this.#connect(worker, false);
    await within(links.tryOut(index), LIMITS.suspectMs);
    for (const other of worker.peers) {
      here();
      await within(other.control.call('tryOut', index), LIMITS.suspectMs);
    }
    here();
    await respawn(worker);
    here();
    // From here on nothing waits: those that have come meanwhile get their way, and all ways are opened.
    worker.takePlace();
    links.open(index);
    for (const other of workers.values()) {
      if (other === worker || !other.ready) continue;
      if (worker.peers.has(other)) other.control.note('open', index);
      else this.#join(worker, other, true);
    }
  }

  /** Ways between this worker and all others that are ready; those to it are opened now or later. */
  #connect(worker: WorkerHandle, open: boolean): void {
    const { links, workers } = this.#around;
    const { port1, port2 } = new MessageChannel();
    links.connect(worker.index, port1);
    if (open) links.open(worker.index);
    worker.control.note('peer', { index: 0, port: port2, open: true }, [port2]);
    for (const other of workers.values()) if (other !== worker && other.ready) this.#join(worker, other, open);
  }

  #join(worker: WorkerHandle, other: WorkerHandle, open: boolean): void {
    const { port1, port2 } = new MessageChannel();
    worker.peers.add(other);
    other.peers.add(worker);
    other.control.note('peer', { index: worker.index, port: port1, open }, [port1]);
    worker.control.note('peer', { index: other.index, port: port2, open: true }, [port2]);
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.setTimer(delayMs, resolve, true);
  });
}

/** Waits until the promise is settled, whatever comes of it, but not longer than this. */
export async function within(promise: Promise<unknown>, limitMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = systemClock.setTimer(limitMs, resolve, true);
    const over = (): void => {
      timer.cancel();
      resolve();
    };
    promise.then(over, over);
  });
}
