/**
 * The pool for `ctx.offload`: threads that run CPU-heavy functions of the cast, apart from those that run actors.
 *
 * A function can't cross to another thread; its name can, and the thread imports the cast to find it. The threads come
 * with the first call and leave when they are idle for a while. One pool for each system, on the main thread.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { LIMITS } from '../core/limits.js';
import { TroupeError } from '../core/troupe-error.js';
import type { FrameCodec } from './frame-codec.js';
import type { OffloadOutcome, OffloadTask } from './offload-entry.js';

const FINISHED = new TroupeError('TROUPE_SYSTEM_STOPPED', 'the system has stopped before the offloaded function ended');

export class OffloadPool {
  readonly #cast: string;
  readonly #codec: FrameCodec;
  #pool: Piscina | undefined;
  #closed = false;
  /** Calls without outcome. */
  #underWay = 0;

  constructor(cast: string, codec: FrameCodec) {
    this.#cast = cast;
    this.#codec = codec;
  }

  /** Calls that have no outcome yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /**
   * Runs the function that the cast exports under this name.
   *
   * @param input packed by the frame codec.
   * @throws TROUPE_MAILBOX_FULL when too many wait, TROUPE_WORKER_LOST when the thread ends, and what the function throws.
   */
  async run(exported: string, input: Uint8Array): Promise<unknown> {
    const { failed, packed } = await this.outcome(exported, input);
    const value = this.#codec.unpack(packed);
    if (failed) throw value;
    return value;
  }

  /** Like `run`, and leaves the outcome packed for whoever passes it on. */
  async outcome(exported: string, input: Uint8Array): Promise<OffloadOutcome> {
    if (this.#closed) throw FINISHED;
    if (this.#underWay >= LIMITS.offloadBacklog) {
      throw new TroupeError(
        'TROUPE_MAILBOX_FULL',
        `offload(${exported}): ${LIMITS.offloadBacklog} functions wait for a pool thread already; offload less at a time`,
      );
    }
    this.#underWay += 1;
    const task: OffloadTask = { cast: this.#cast, exported, input };
    try {
      // What the pool's task returns.
      return (await this.#threads().run(task)) as OffloadOutcome;
    } catch (cause) {
      if (this.#closed) throw FINISHED;
      throw new TroupeError(
        'TROUPE_WORKER_LOST',
        `offload(${exported}): the pool thread ended while the function ran; look for process.exit() or too much memory in it`,
        { cause },
      );
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Ends the threads; what runs is given up. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.destroy();
  }

  #threads(): Piscina {
    this.#pool ??= new Piscina({
      filename: fileURLToPath(new URL('./offload-entry.js', import.meta.url)),
      minThreads: 0,
      maxThreads: Math.max(1, availableParallelism() - 1),
      idleTimeout: LIMITS.offloadIdleMs,
      concurrentTasksPerWorker: 1,
      // The default blocks timers and ports of a thread while it waits for tasks.
      atomics: 'disabled',
      execArgv: process.execArgv.filter((flag) => flag === '--enable-source-maps'),
    });
    return this.#pool;
  }
}
