/**
 * Worker threads: a Piscina pool whose tasks never end by themselves, one for each worker.
 *
 * A task gets its ports by transfer and runs until it is told to end; when its thread exits, fails or is aborted, its
 * promise rejects within milliseconds, and Piscina replaces the thread.
 */
import { fileURLToPath } from 'node:url';
import type { Transferable } from 'node:worker_threads';
import { Piscina } from 'piscina';

export class WorkerPool {
  readonly #pool: Piscina;

  /**
   * @param entry module whose default export is the task
   * @param hardHeapMb V8's own limit of the old generation, which may take the process along; undefined: V8's choice
   */
  constructor(entry: URL, workers: number, hardHeapMb: number | undefined) {
    this.#pool = new Piscina({
      filename: fileURLToPath(entry),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      // The default blocks timers and ports of a thread while it waits for tasks.
      atomics: 'disabled',
      ...(hardHeapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: hardHeapMb } }),
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
