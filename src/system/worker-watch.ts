/**
 * Watches the workers from outside: one whose loop stands still, or that takes the memory away in one handler, is
 * ended.
 *
 * A worker looks after its heap itself between turns; here is who acts when it gets no turn. A main thread that was
 * late itself accuses nobody, and one that was a little late waits longer: on a busy machine threads stand still
 * without fault.
 */
import { systemClock, type Timer } from '../core/clock.js';
import type { FactSink } from '../core/runtime-fact.js';
import { pulseOf } from '../core/handling-mark.js';
import type { SystemSettings } from './system-options.js';
import { pulseEveryMs, type WorkerHandle } from './worker-handle.js';

const MIB = 1024 * 1024;
/** A look that comes later than this share of the time between two is a slow one. */
const SLOW = 1 / 4;
/** Slow looks excuse at most so many times `blockedAfter`. */
const MOST_EXCUSED = 3;

interface Seen {
  pulse: number;
  /** When it was new. */
  atMs: number;
  /** Milliseconds since then that don't count, because this thread was slow, too. */
  excusedMs: number;
  /** Memory of the process then. */
  rss: number;
}

export class WorkerWatch {
  readonly #settings: SystemSettings;
  readonly #workers: () => Iterable<WorkerHandle>;
  readonly #everyMs: number;
  readonly #seen = new WeakMap<WorkerHandle, Seen>();
  #timer: Timer | undefined;
  #greedy: { readonly worker: WorkerHandle; readonly stillMs: number } | undefined;

  readonly #facts: FactSink;

  constructor(settings: SystemSettings, workers: () => Iterable<WorkerHandle>, facts: FactSink) {
    this.#facts = facts;
    this.#settings = settings;
    this.#workers = workers;
    this.#everyMs = pulseEveryMs(settings);
  }

  start(): void {
    const dueMs = systemClock.monotonic() + this.#everyMs;
    this.#timer = systemClock.setTimer(
      this.#everyMs,
      () => {
        const now = systemClock.monotonic();
        const lateMs = now - dueMs;
        const rss = this.#settings.limits.heapMb === undefined ? 0 : process.memoryUsage.rss();
        for (const worker of this.#workers()) this.#check(worker, { now, lateMs, rss });
        this.#endGreediest(rss);
        this.start();
      },
      true,
    );
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #check(worker: WorkerHandle, look: { readonly now: number; readonly lateMs: number; readonly rss: number }): void {
    const { now, lateMs, rss } = look;
    const pulse = pulseOf(worker.memory);
    const seen = this.#seen.get(worker);
    // The pulse begins when the cast is loaded.
    if (seen === undefined || pulse !== seen.pulse || pulse === 0) {
      this.#seen.set(worker, { pulse, atMs: now, excusedMs: 0, rss });
      return;
    }
    if (lateMs > this.#everyMs) {
      seen.atMs = now;
      return;
    }
    const { blockedAfterMs, heapMb } = this.#settings.limits;
    if (lateMs > this.#everyMs * SLOW) seen.excusedMs += this.#everyMs;
    const stillMs = now - seen.atMs - Math.min(seen.excusedMs, MOST_EXCUSED * blockedAfterMs);
    if (stillMs > blockedAfterMs) {
      this.#facts.tell({ kind: 'worker-blocked', worker: worker.index, stillMs });
      worker.end('blocked', `its loop was blocked for ${blockedAfterMs} ms`);
    } else if (heapMb !== undefined && stillMs >= this.#everyMs && rss - seen.rss > heapMb * MIB) {
      if (this.#greedy === undefined || stillMs > this.#greedy.stillMs) this.#greedy = { worker, stillMs };
    }
  }

  /** Memory says not who took it: of those that stand still it is the one that does so the longest. */
  #endGreediest(rss: number): void {
    const worker = this.#greedy?.worker;
    this.#greedy = undefined;
    if (worker === undefined) return;
    worker.end('heap', `it took more than ${this.#settings.limits.heapMb} MiB in one turn`);
    for (const other of this.#workers()) {
      const seen = this.#seen.get(other);
      if (seen !== undefined) seen.rss = rss;
    }
  }
}
