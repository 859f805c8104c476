/**
 * Watches the workers from outside: one whose loop stands still, or that takes the memory away in one handler, is
 * ended.
 *
 * A worker looks after its heap itself between turns; here is who acts when it gets no turn. A main thread that was
 * late itself accuses nobody, and one that was a little late waits longer: on a busy machine threads stand still
 * without fault. Who takes the memory is found out in `memory-suspicion.ts`.
 */
import { systemClock, type Timer } from '../core/clock.js';
import { heapMbOf, pulseOf } from '../core/handling-mark.js';
import type { FactSink } from '../core/runtime-fact.js';
import { MemorySuspicion } from './memory-suspicion.js';
import type { SystemSettings } from './system-options.js';
import { pulseEveryMs, type WorkerHandle } from './worker-handle.js';
import { heapTakenMb } from './worker-heap.js';

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
}

export class WorkerWatch {
  readonly #settings: SystemSettings;
  readonly #workers: () => Iterable<WorkerHandle>;
  readonly #everyMs: number;
  readonly #seen = new WeakMap<WorkerHandle, Seen>();
  readonly #memory: MemorySuspicion<WorkerHandle> | undefined;
  readonly #facts: FactSink;
  #timer: Timer | undefined;

  constructor(settings: SystemSettings, workers: () => Iterable<WorkerHandle>, facts: FactSink) {
    this.#facts = facts;
    this.#settings = settings;
    this.#workers = workers;
    this.#everyMs = pulseEveryMs(settings);
    const { heapMb } = settings.limits;
    if (heapMb !== undefined) this.#memory = new MemorySuspicion(heapMb, this.#everyMs);
  }

  start(): void {
    const dueMs = systemClock.monotonic() + this.#everyMs;
    this.#timer = systemClock.setTimer(
      this.#everyMs,
      () => {
        const now = systemClock.monotonic();
        for (const worker of this.#workers()) this.#check(worker, { now, lateMs: now - dueMs });
        if (this.#memory !== undefined) this.#checkMemory(this.#memory, now);
        this.start();
      },
      true,
    );
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #check(worker: WorkerHandle, look: { readonly now: number; readonly lateMs: number }): void {
    const { now, lateMs } = look;
    const pulse = pulseOf(worker.memory);
    const seen = this.#seen.get(worker);
    // The pulse begins when the cast is loaded.
    if (seen === undefined || pulse !== seen.pulse || pulse === 0) {
      this.#seen.set(worker, { pulse, atMs: now, excusedMs: 0 });
      return;
    }
    if (lateMs > this.#everyMs) {
      seen.atMs = now;
      return;
    }
    const { blockedAfterMs } = this.#settings.limits;
    if (lateMs > this.#everyMs * SLOW) seen.excusedMs += this.#everyMs;
    const stillMs = now - seen.atMs - Math.min(seen.excusedMs, MOST_EXCUSED * blockedAfterMs);
    if (stillMs <= blockedAfterMs) return;
    this.#facts.tell({ kind: 'worker-blocked', worker: worker.index, stillMs });
    worker.end('blocked', `its loop was blocked for ${blockedAfterMs} ms`);
  }

  #checkMemory(suspicion: MemorySuspicion<WorkerHandle>, now: number): void {
    const guilty = suspicion.look({
      atMs: now,
      rssMb: process.memoryUsage.rss() / MIB,
      heapMb: heapTakenMb(),
      workers: Array.from(this.#workers(), (worker) => {
        const { memory } = worker;
        return { worker, pulse: pulseOf(memory), heapMb: heapMbOf(memory) };
      }),
    });
    guilty?.end('heap', `it took more than ${this.#settings.limits.heapMb} MiB in one turn`);
  }
}
