/**
 * Watches the workers from outside: one whose loop stands still, or that takes the memory away in one handler, is
 * ended.
 *
 * A worker looks after its heap itself between turns; here is who acts when it gets no turn. A main thread that was
 * late itself accuses nobody.
 */
import { systemClock, type Timer } from '../core/clock.js';
import { pulseOf } from '../core/handling-mark.js';
import type { SystemSettings } from './system-options.js';
import { pulseEveryMs, type WorkerHandle } from './worker-handle.js';

const MIB = 1024 * 1024;

interface Seen {
  pulse: number;
  /** When it was new. */
  atMs: number;
  /** Memory of the process then. */
  rss: number;
}

export class WorkerWatch {
  readonly #settings: SystemSettings;
  readonly #workers: () => Iterable<WorkerHandle>;
  readonly #everyMs: number;
  readonly #seen = new WeakMap<WorkerHandle, Seen>();
  #timer: Timer | undefined;

  constructor(settings: SystemSettings, workers: () => Iterable<WorkerHandle>) {
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
        const late = now - dueMs > this.#everyMs;
        const rss = this.#settings.limits.heapMb === undefined ? 0 : process.memoryUsage.rss();
        for (const worker of this.#workers()) this.#check(worker, { now, late, rss });
        this.start();
      },
      true,
    );
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #check(worker: WorkerHandle, look: { readonly now: number; readonly late: boolean; readonly rss: number }): void {
    const { now, late, rss } = look;
    const pulse = pulseOf(worker.memory);
    const seen = this.#seen.get(worker);
    // The pulse begins when the cast is loaded.
    if (seen === undefined || pulse !== seen.pulse || pulse === 0) {
      this.#seen.set(worker, { pulse, atMs: now, rss });
      return;
    }
    if (late) {
      seen.atMs = now;
      return;
    }
    const { blockedAfterMs, heapMb } = this.#settings.limits;
    const stillMs = now - seen.atMs;
    if (stillMs > blockedAfterMs) {
      worker.end('blocked', `its loop was blocked for ${blockedAfterMs} ms`);
    } else if (heapMb !== undefined && stillMs >= this.#everyMs && rss - seen.rss > heapMb * MIB) {
      worker.end('heap', `it took more than ${heapMb} MiB in one turn`);
    }
  }
}
