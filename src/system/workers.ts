/**
 * The workers as the main thread sees them: started with their ports, asked how they are, told to stop.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from '../threads/channel.js';
import { workerLost } from '../threads/worker-lost.js';
import { TroupeError } from '../core/troupe-error.js';
import { systemClock, type Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { CommittedEvents, Journal } from '../journal/journal.js';
import { ControlPort, type ControlHandlers } from '../threads/control.js';
import type { FrameCodec } from '../threads/frame-codec.js';
import { JournalServer } from '../threads/journal-server.js';
import type { JournalRequest } from '../threads/journal-wire.js';
import type { Links } from '../threads/links.js';
import type { Placement, ThreadIndex } from '../threads/placement.js';
import { WorkerPool } from '../threads/worker-pool.js';
import type { SystemSettings } from './system-options.js';
import type { WorkerStart, WorkerStatus } from './worker-entry.js';

/** What the workers need of the main thread. */
export interface WorkersSurroundings {
  readonly settings: SystemSettings;
  readonly journal: Journal;
  readonly placement: Placement;
  readonly links: Links;
  readonly codec: FrameCodec;
  /** A dead letter of a worker, as bytes of the frame codec. */
  letter(bytes: Uint8Array): void;
  letterGone(id: string): void;
  log(level: 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>> | undefined): void;
}

interface Worker {
  readonly index: ThreadIndex;
  readonly control: ControlPort;
  readonly journal: JournalServer;
  readonly journalPort: MessagePort;
  readonly abort: AbortController;
  readonly ended: Promise<unknown>;
  readonly pulse: Int32Array;
  lastPulse: number;
  lastPulseMs: number;
  status: WorkerStatus | undefined;
  watchesEvents: boolean;
}

export class Workers {
  readonly #around: WorkersSurroundings;
  readonly #pool: WorkerPool;
  readonly #workers = new Map<ThreadIndex, Worker>();
  #timer: Timer | undefined;
  #watchdog: Timer | undefined;
  #stopping = false;
  #losses = 0;
  /** Top-level actors and what they were spawned with, to begin again when their worker is lost. */
  readonly #actors = new Map<string, { readonly name: string; readonly id: string; readonly args: Uint8Array }>();

  constructor(around: WorkersSurroundings) {
    this.#around = around;
    this.#pool = new WorkerPool(new URL('./worker-entry.js', import.meta.url), around.placement.workers);
  }

  /** @throws TROUPE_INVALID_OPTIONS when the cast can't be loaded in a worker */
  async start(): Promise<void> {
    const count = this.#around.placement.workers;
    await Promise.all(Array.from({ length: count }, (_, i) => this.#startWorker(i + 1)));
    for (let a = 1; a <= count; a += 1) {
      this.#connect(0, a);
      for (let b = a + 1; b <= count; b += 1) this.#connect(a, b);
    }
    this.#look();
    this.#watch();
  }

  /** Workers lost and replaced since the start. */
  get losses(): number {
    return this.#losses;
  }

  /** The last known status of each worker. */
  statuses(): WorkerStatus[] {
    return [...this.#workers.values()].flatMap(({ status }) => (status === undefined ? [] : [status]));
  }

  /** Whether all workers are idle, and how much has moved between threads so far; asked now. */
  async resting(): Promise<{ readonly idle: boolean; readonly activity: number }> {
    const all = await Promise.all([...this.#workers.values()].map((worker) => this.#ask(worker)));
    return {
      idle: all.every((status) => status.idle),
      activity: all.reduce((sum, status) => sum + status.activity, this.#around.links.crossed),
    };
  }

  async spawn(name: string, id: string, args: unknown): Promise<void> {
    const packed = this.#around.codec.pack(args);
    await this.#at(name, id)?.control.call('spawn', { name, id, args: packed });
    this.#actors.set(`${name}/${id}`, { name, id, args: packed });
  }

  async stopActor(name: string, id: string): Promise<void> {
    await this.#at(name, id)?.control.call('stopActor', { name, id });
  }

  /** Tells the workers that want to hear of it what has been committed. */
  committed(committed: CommittedEvents): void {
    for (const worker of this.#workers.values()) {
      if (worker.watchesEvents) worker.control.note('committed', committed);
    }
  }

  /** Finishes what the workers have to do, within the time. */
  async drain(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.#timer?.cancel();
    this.#watchdog?.cancel();
    await Promise.all([...this.#workers.values()].map((worker) => worker.control.call('stop', { timeoutMs })));
  }

  /** Ends the threads. */
  async end(): Promise<void> {
    this.#stopping = true;
    this.#timer?.cancel();
    this.#watchdog?.cancel();
    const error = new TroupeError('TROUPE_SYSTEM_STOPPED', 'the system has stopped');
    for (const worker of this.#workers.values()) {
      worker.control.note('end');
      await Promise.race([worker.ended, new Promise((resolve) => systemClock.setTimer(1_000, () => resolve(0), true))]);
      worker.control.close(error);
      worker.journalPort.close();
      worker.journal.close();
    }
    this.#workers.clear();
    await this.#pool.destroy();
  }

  /** Starts a worker; resolves when its cast is loaded. */
  async #startWorker(index: ThreadIndex): Promise<void> {
    const { settings, journal, placement } = this.#around;
    const control = new MessageChannel();
    const journalChannel = new MessageChannel();
    const { decide: _decide, ...supervision } = settings.supervision;
    const pulse = new SharedArrayBuffer(4);
    const start: WorkerStart = {
      index,
      workers: placement.workers,
      cast: String(settings.cast),
      askTimeoutMs: settings.limits.askTimeoutMs,
      supervision,
      head: journal.head,
      pulse,
      pulseEveryMs: Math.min(LIMITS.pulseEveryMs, settings.limits.blockedAfterMs / 4),
      control: control.port2,
      journal: journalChannel.port2,
    };
    const server = new JournalServer(journal, (answers) => journalChannel.port1.postMessage(answers));
    journalChannel.port1.on('message', (requests: readonly JournalRequest[]) => server.receive(requests));
    const abort = new AbortController();
    const task = this.#pool.run(start, [control.port2, journalChannel.port2], abort.signal);
    await new Promise<void>((resolve, reject) => {
      const worker: Worker = {
        index,
        control: new ControlPort(
          control.port1,
          this.#handlers(index, resolve, (message) => {
            reject(new TroupeError('TROUPE_INVALID_OPTIONS', `worker ${index}: ${message}`));
          }),
        ),
        journal: server,
        journalPort: journalChannel.port1,
        abort,
        ended: task.catch(() => undefined),
        pulse: new Int32Array(pulse),
        lastPulse: 0,
        lastPulseMs: systemClock.monotonic(),
        status: undefined,
        watchesEvents: false,
      };
      this.#workers.set(index, worker);
      task.then(
        () => undefined,
        (error: unknown) => {
          reject(workerLost(index, error));
          // An aborted task says only that it was; the reason says why.
          const cause: unknown = abort.signal.aborted ? abort.signal.reason : error;
          if (!this.#stopping) void this.#lost(worker, cause);
        },
      );
    });
  }

  /** What a worker may say of itself. */
  #handlers(index: ThreadIndex, started: () => void, failed: (message: string) => void): ControlHandlers {
    return {
      started,
      failed,
      letter: (bytes: Uint8Array) => this.#around.letter(bytes),
      letterGone: (id: string) => this.#around.letterGone(id),
      log: ([level, message, fields]: ['warn' | 'error', string, Record<string, unknown> | undefined]) =>
        this.#around.log(level, message, fields),
      watchEvents: (wanted: boolean) => {
        const worker = this.#workers.get(index);
        if (worker !== undefined) worker.watchesEvents = wanted;
      },
      stopActor: ({ name, id }: { name: string; id: string }) => this.stopActor(name, id),
      ended: ({ name, id }: { name: string; id: string }) => this.#actors.delete(`${name}/${id}`),
    };
  }

  /**
   * A worker has died: what it had handed over counts, its successor gets the rest again.
   *
   * Others hear of it before the successor is there, so that nothing is sent into the void.
   */
  async #lost(worker: Worker, cause: unknown): Promise<void> {
    const { index } = worker;
    if (this.#workers.get(index) !== worker) return;
    this.#workers.delete(index);
    this.#losses += 1;
    const error = workerLost(index, cause);
    this.#around.log('error', error.message, undefined);
    for (let one = receiveMessageOnPort(worker.journalPort); one !== undefined; one = receiveMessageOnPort(worker.journalPort)) {
      // Only the worker's journal posts to this port.
      worker.journal.receive(one.message as readonly JournalRequest[]);
    }
    worker.journalPort.close();
    worker.journal.close();
    worker.control.close(error);
    this.#around.links.lost(index, error);
    for (const other of this.#workers.values()) other.control.note('lost', index);
    try {
      await this.#startWorker(index);
    } catch (failure) {
      this.#around.log('error', `worker ${index} can't be replaced`, { error: failure });
      return;
    }
    await this.#respawn(index);
    this.#connect(0, index);
    for (const other of this.#workers.keys()) if (other !== index) this.#connect(other, index);
  }

  /** Plain actors of a lost worker begin another life; that is no restart by their supervisor, and no end. */
  async #respawn(index: ThreadIndex): Promise<void> {
    for (const { name, id, args } of this.#actors.values()) {
      if (this.#around.placement.homeOf(name, id) !== index) continue;
      await this.#workers.get(index)?.control.call('spawn', { name, id, args }).catch((error: unknown) => {
        this.#around.log('error', `${name}/${id} can't be started again`, { error });
      });
    }
  }

  /** Looks for workers whose loop stands still. A main thread that was late itself accuses nobody. */
  #watch(): void {
    const everyMs = Math.min(LIMITS.pulseEveryMs, this.#around.settings.limits.blockedAfterMs / 4);
    const dueMs = systemClock.monotonic() + everyMs;
    this.#watchdog = systemClock.setTimer(
      everyMs,
      () => {
        const now = systemClock.monotonic();
        const late = now - dueMs > everyMs;
        for (const worker of this.#workers.values()) this.#checkPulse(worker, now, late);
        this.#watch();
      },
      true,
    );
  }

  #checkPulse(worker: Worker, now: number, late: boolean): void {
    const pulse = Atomics.load(worker.pulse, 0);
    if (pulse !== worker.lastPulse || pulse === 0 || late) {
      worker.lastPulse = pulse;
      worker.lastPulseMs = now;
    } else if (now - worker.lastPulseMs > this.#around.settings.limits.blockedAfterMs) {
      worker.lastPulseMs = Infinity;
      worker.abort.abort(new Error(`its loop was blocked for ${this.#around.settings.limits.blockedAfterMs} ms`));
    }
  }

  #connect(a: ThreadIndex, b: ThreadIndex): void {
    const { port1, port2 } = new MessageChannel();
    if (a === 0) this.#around.links.connect(b, port1);
    else this.#workers.get(a)?.control.note('peer', { index: b, port: port1 }, [port1]);
    this.#workers.get(b)?.control.note('peer', { index: a, port: port2 }, [port2]);
  }

  /** Keeps the last known status fresh, for `metrics()`. */
  #look(): void {
    this.#timer = systemClock.setTimer(
      LIMITS.workerStatusEveryMs,
      () => {
        for (const worker of this.#workers.values()) this.#ask(worker).catch(() => undefined);
        this.#look();
      },
      true,
    );
  }

  async #ask(worker: Worker): Promise<WorkerStatus> {
    // The worker's own answer to this call.
    const status = (await worker.control.call('status')) as WorkerStatus;
    worker.status = status;
    return status;
  }

  #at(name: string, id: string): Worker | undefined {
    return this.#workers.get(this.#around.placement.threadOf(name, id));
  }
}
