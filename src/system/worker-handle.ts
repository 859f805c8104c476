/**
 * One worker thread as the main thread holds it: its ports, its task in the pool, and the memory that outlives it.
 *
 * A handle stands for one thread and is not used again: a successor has the same index and a handle of its own.
 */
import { systemClock } from '../core/clock.js';
import { foldOn, HandlingMark } from '../core/handling-mark.js';
import { LIMITS } from '../core/limits.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Journal } from '../journal/journal.js';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from '../threads/channel.js';
import { ControlPort, type ControlHandlers } from '../threads/control.js';
import type { FoldCrew } from '../threads/fold-crew.js';
import { FoldLine } from '../threads/fold-line.js';
import { JournalServer } from '../threads/journal-server.js';
import type { JournalRequests } from '../threads/journal-wire.js';
import type { ThreadIndex } from '../threads/placement.js';
import type { WorkerPool } from '../threads/worker-pool.js';
import type { SystemSettings } from './system-options.js';
import type { WorkerStart, WorkerStatus } from './worker-entry.js';

/** Why a worker was lost: it ended itself, threw outside a handler, stood still, or took too much memory. */
export type LossReason = 'exit' | 'error' | 'blocked' | 'heap';

export interface WorkerFacts {
  readonly index: ThreadIndex;
  readonly workers: number;
  /** Memory of `Births`, which all threads share. */
  readonly births: SharedArrayBuffer;
  readonly settings: SystemSettings;
  readonly journal: Journal;
  /** Where its folds read. */
  readonly pages: Pick<Journal, 'head' | 'readPages'>;
  readonly pool: WorkerPool;
  /** What it may say of itself. */
  readonly handlers: ControlHandlers;
  readonly folds: FoldCrew;
  /** Its thread has ended although nobody had told it to. Called once. */
  readonly lost: (worker: WorkerHandle, cause: unknown) => void;
}

/** Milliseconds between two beats of a worker, and between two looks at them. */
export function pulseEveryMs({ limits }: SystemSettings): number {
  return Math.min(LIMITS.pulseEveryMs, limits.blockedAfterMs / 4);
}

export class WorkerHandle {
  readonly index: ThreadIndex;
  readonly control: ControlPort;
  readonly memory = HandlingMark.memory();
  /** Resolves when the thread has ended, whatever the way. */
  readonly ended: Promise<void>;
  /** Resolves when the cast is loaded there. */
  readonly started: Promise<void>;
  /** Those that have a way to this one. */
  readonly peers = new Set<WorkerHandle>();
  status: WorkerStatus | undefined;
  watchesEvents = false;
  /** Whether others may send to it. */
  ready = false;
  gone = false;
  /** Shall be replaced as soon as it has come to rest. */
  retiring = false;
  readonly startedMs = systemClock.monotonic();
  readonly #journalPort: MessagePort;
  readonly #journal: JournalServer;
  readonly #folds: FoldCrew;
  readonly #foldLine: FoldLine;
  readonly #abort = new AbortController();
  #endReason: LossReason | undefined;

  constructor({ index, workers, births, settings, journal, pages, pool, handlers, folds, lost }: WorkerFacts) {
    this.index = index;
    const folding = new MessageChannel();
    this.#folds = folds;
    this.#foldLine = new FoldLine(folding.port1, pages);
    const control = new MessageChannel();
    const entries = new MessageChannel();
    const start: WorkerStart = {
      index,
      workers,
      births,
      cast: String(settings.cast),
      askTimeoutMs: settings.limits.askTimeoutMs,
      head: journal.head,
      memory: this.memory,
      heapMb: settings.limits.heapMb,
      pulseEveryMs: pulseEveryMs(settings),
      control: control.port2,
      journal: entries.port2,
      folds: folding.port2,
    };
    this.#journal = new JournalServer(journal, (answers) => entries.port1.postMessage(answers));
    this.#journalPort = entries.port1;
    this.#journalPort.on('message', (requests: JournalRequests) => this.#journal.receive(requests));
    let ready: () => void = () => undefined;
    let failed: (error: unknown) => void = () => undefined;
    this.started = new Promise((resolve, reject) => {
      ready = resolve;
      failed = reject;
    });
    // Whoever starts it awaits it, too.
    this.started.catch(() => undefined);
    const late = systemClock.setTimer(
      LIMITS.workerStartMs,
      () => {
        failed(unfit(start, `the cast ${start.cast} was not loaded within ${LIMITS.workerStartMs} ms`));
        this.end('blocked', `it did not start within ${LIMITS.workerStartMs} ms`);
      },
      true,
    );
    this.control = new ControlPort(control.port1, {
      ...handlers,
      started: () => {
        late.cancel();
        ready();
      },
      failed: (message: string) => failed(unfit(start, message)),
    });
    this.ended = pool.run(start, [control.port2, entries.port2, folding.port2], this.#abort.signal).then(
      () => undefined,
      (error: unknown) => {
        late.cancel();
        this.control.drain();
        const text = error instanceof Error ? error.message : String(error);
        failed(unfit(start, `it ended while it loaded the cast ${start.cast}: ${text}`, error));
        // An aborted task says only that it was; the reason says why.
        lost(this, this.#abort.signal.aborted ? this.#abort.signal.reason : error);
      },
    );
  }

  /** Others may send to it, and it folds. */
  takePlace(): void {
    this.ready = true;
    this.#folds.open(this.index, this.#foldLine);
  }

  /** Ends the thread, from outside. */
  end(reason: LossReason, text: string): void {
    this.#endReason ??= reason;
    this.#abort.abort(new Error(text));
  }

  /** Why it was lost. */
  lossReason(cause: unknown): LossReason {
    if (this.#endReason !== undefined) return this.#endReason;
    const { code, message } = Object(cause) as { readonly code?: unknown; readonly message?: unknown };
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'heap';
    // Piscina has no code for it.
    return typeof message === 'string' && message.startsWith('worker exited') ? 'exit' : 'error';
  }

  /** What it had handed over counts; nothing more is taken from it, and calls under way fail with `error`. */
  close(error: Error): void {
    this.gone = true;
    this.ready = false;
    this.control.drain();
    for (
      let one = receiveMessageOnPort(this.#journalPort);
      one !== undefined;
      one = receiveMessageOnPort(this.#journalPort)
    ) {
      // Only the worker's journal posts to this port.
      this.#journal.receive(one.message as JournalRequests);
    }
    this.#journalPort.close();
    this.#journal.close();
    this.control.close(error);
    this.#folds.close(this.index, this.#foldLine);
    this.#foldLine.lost(error, foldOn(this.memory));
  }
}

/** A worker can't do its work, which is the cast's fault until the contrary is shown. */
function unfit({ index }: WorkerStart, text: string, cause?: unknown): TroupeError {
  return new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `worker ${index}: ${text}; every worker imports the cast, so keep out of that module what only the main thread can do, or set workers: 0`,
    { details: { worker: index }, ...(cause === undefined ? {} : { cause }) },
  );
}
