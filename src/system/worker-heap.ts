/**
 * The soft limit of a worker's heap (promise 5), checked by the worker between turns.
 *
 * Garbage doesn't count: above the limit the heap is collected, and what is left decides. That is done rarely.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { HeapLimits } from '../threads/worker-pool.js';

const MIB = 1024 * 1024;

/** V8's own limits for workers. `heapMb`: the soft limit, if there is one. */
export function heapLimits(heapMb: number | undefined): HeapLimits {
  const { workerYoungGenerationMb: youngMb, hardHeapFactor, hardHeapRoomMb } = LIMITS;
  if (heapMb !== undefined) {
    // What is young counts for the soft limit, too: were it most of that, garbage would reach it again and again.
    return { oldMb: heapMb * hardHeapFactor + hardHeapRoomMb, youngMb: Math.min(youngMb, heapMb / 2) };
  }
  // Who has started Node with a limit of their own means it for workers, too.
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  return { oldMb: /max[-_]old[-_]space[-_]size/.test(flags) ? undefined : LIMITS.workerOldGenerationMb, youngMb };
}

export class HeapLimit {
  readonly #limitBytes: number;
  #collectedMs = -Infinity;
  #collect: (() => void) | undefined;

  /** Called when the cast is loaded: a limit that this alone exceeds would end worker after worker. */
  constructor(heapMb: number) {
    this.#limitBytes = Math.max(heapMb * MIB, usedBytes() * LIMITS.heapRoomFactor);
  }

  /** MiB in use if that is more than the limit; else undefined. */
  exceeded(): number | undefined {
    if (usedBytes() <= this.#limitBytes) return undefined;
    const now = systemClock.monotonic();
    if (now - this.#collectedMs < LIMITS.heapCollectEveryMs) return undefined;
    this.#collectedMs = now;
    this.#collectGarbage();
    const used = usedBytes();
    return used > this.#limitBytes ? Math.round(used / MIB) : undefined;
  }

  #collectGarbage(): void {
    if (this.#collect === undefined) {
      setFlagsFromString('--expose-gc');
      // With that flag each new context has a function `gc`.
      this.#collect = runInNewContext('gc') as () => void;
    }
    this.#collect();
  }
}

/** Memory that the heap of this thread takes, garbage and room included, in MiB. */
export function heapTakenMb(): number {
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return Math.round((heap + external) / MIB);
}

function usedBytes(): number {
  return getHeapStatistics().used_heap_size;
}
