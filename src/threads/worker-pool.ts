/**
 * Worker threads: a Piscina pool whose tasks never end by themselves, one for each worker.
 *
 * A task gets its ports by transfer and runs until it is told to end; when its thread exits, fails or is aborted, its
 * promise rejects within milliseconds, and Piscina replaces the thread.
 */
import { fileURLToPath } from 'node:url';
import type { Transferable } from 'node:worker_threads';
import { Piscina } from 'piscina';

/** Limits of one worker's heap. */
export interface HeapLimits {
  /** Undefined: that of the process. */
  readonly oldMb: number | undefined;
  readonly youngMb: number;
}

export class WorkerPool {
  readonly #pool: Piscina;

  /**
   * @param entry module whose default export is the task
   * @param heap V8's own limits, in MiB; reaching that of the old generation may take the process along
   */
  constructor(entry: URL, workers: number, heap: HeapLimits) {
    this.#pool = new Piscina({
      filename: fileURLToPath(entry),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      // The default blocks timers and ports of a thread while it waits for tasks.
      atomics: 'disabled',
      resourceLimits: {
        maxYoungGenerationSizeMb: heap.youngMb,
        ...(heap.oldMb === undefined ? {} : { maxOldGenerationSizeMb: heap.oldMb }),
      },
      execArgv: process.execArgv.filter((flag) => flag === '--enable-source-maps'),
    });
  }

  /** Runs the task of one worker; aborting ends its thread and no other. */
  run(start: object, transfer: Transferable[], signal: AbortSignal): Promise<unknown> {
    return this.#pool.run(start, { transferList: transfer, signal }) as Promise<unknown>;
  }

  /** Ends all threads. The tasks have to be over: closing kills those that run. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}
