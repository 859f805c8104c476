/**
 * The workers as the main thread sees them: started, asked how they are, told what to spawn and when to stop.
 *
 * How one is held stands in `worker-handle.ts`, who watches it in `worker-watch.ts`, and what happens when it dies in
 * `worker-succession.ts`.
 */
import type { RuntimeFact } from '../core/runtime-fact.js';
import type { InstanceAddress, Ordinal, Report, SignalPost } from '../actors/signal.js';
import { systemClock, systemRandom, type Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { Logger } from '../core/logger.js';
import { TroupeError } from '../core/troupe-error.js';
import type { CommittedEvents, Journal } from '../journal/journal.js';
import type { ControlHandlers } from '../threads/control.js';
import { exactValue } from '../threads/exact-value.js';
import type { FoldCrew } from '../threads/fold-crew.js';
import type { FrameCodec } from '../threads/frame-codec.js';
import type { Links } from '../threads/links.js';
import type { OffloadTask } from '../threads/offload-entry.js';
import type { OffloadPool } from '../threads/offload-pool.js';
import type { Placement, ThreadIndex } from '../threads/placement.js';
import { writeLine } from '../threads/distant-log.js';
import { WorkerPool } from '../threads/worker-pool.js';
import type { ReminderKey, ReminderRequest } from '../timers/reminder.js';
import type { ReminderPost } from '../timers/reminders.js';
import { untilTrue } from './settle.js';
import type { SystemSettings } from './system-options.js';
import type { FactHub } from './fact-hub.js';
import { Roster, type RosterEntry } from './roster.js';
import type { SpawnOnWorker, WorkerStatus } from './worker-entry.js';
import { heapLimits } from './worker-heap.js';
import { type LossReason, WorkerHandle } from './worker-handle.js';
import { Succession, type Vacancy, within } from './worker-succession.js';
import { WorkerWatch } from './worker-watch.js';

/** What the workers need of the main thread. */
export interface WorkersSurroundings {
  readonly settings: SystemSettings;
  readonly journal: Journal;
  /** Where folds read. */
  readonly pages: Pick<Journal, 'head' | 'readPages'>;
  readonly placement: Placement;
  /** Memory of `Births`, which all threads share. */
  readonly births: SharedArrayBuffer;
  readonly links: Links;
  readonly codec: FrameCodec;
  readonly folds: FoldCrew;
  /** A dead letter of a worker, as bytes of the frame codec. */
  letter(bytes: Uint8Array): void;
  letterGone(id: string): void;
  readonly offloads: OffloadPool | undefined;
  readonly reminders: ReminderPost;
  readonly facts: FactHub;
  readonly log: Logger;
}

/** Deaths after which an actor begins no other life. */
const MOST_DEATHS = 2;

/** What has become of what the workers had to do; messages that were not handled by definition. */
export interface Drained {
  readonly complete: boolean;
  readonly unhandled: Readonly<Record<string, number>>;
}

/** Actors that begin anew together. */
const RESPAWNED_AT_ONCE = 256;

export class Workers {
  readonly #around: WorkersSurroundings;
  readonly #pool: WorkerPool;
  readonly #workers = new Map<ThreadIndex, WorkerHandle>();
  readonly #succession: Succession;
  readonly #watch: WorkerWatch;
  #timer: Timer | undefined;
  #begun = false;
  /** How far the reactions have been stopped; what successors have to know, too. */
  #reactionsStop: 'ending' | 'over' | undefined;
  readonly #roster: Roster;
  /** Workers that died while their actors began anew. */
  readonly #mortal = new Set<ThreadIndex>();

  constructor(around: WorkersSurroundings) {
    this.#around = around;
    const { settings, links, facts } = around;
    const { clock, supervision } = settings;
    const signals: SignalPost = {
      signal: (to, signal) => {
        // What a lost worker has not read is gone; an order to stop is kept. It fails only if the system stops.
        if (to !== undefined && signal.kind === 'stop') this.stopActor(to.name, to.id).catch(() => undefined);
        else links.signal(to, signal);
      },
    };
    this.#roster = new Roster({ clock, facts: facts.here, signals, random: systemRandom }, supervision);
    this.#pool = new WorkerPool(
      new URL('./worker-entry.js', import.meta.url),
      around.placement.workers,
      heapLimits(settings.limits.heapMb),
    );
    this.#succession = new Succession({
      links: around.links,
      workers: this.#workers,
      make: (index) => this.#make(index),
      respawn: (worker) => this.#respawn(worker),
      facts: facts.here,
    });
    this.#watch = new WorkerWatch(around.settings, () => this.#workers.values(), facts.here);
    facts.onWanted((wanted) => {
      for (const worker of this.#workers.values()) worker.control.note('watchFacts', wanted);
    });
  }

  /** @throws TROUPE_INVALID_OPTIONS when the cast can't be loaded in a worker */
  async start(): Promise<void> {
    await this.#succession.begin(this.#around.placement.workers);
    this.#begun = true;
    this.#look();
    this.#watch.start();
  }

  /** Workers lost since the start, by reason. */
  get losses(): Readonly<Partial<Record<LossReason, number>>> {
    return this.#succession.losses;
  }

  /** Workers being replaced. */
  vacancies(): Vacancy[] {
    return this.#succession.vacancies();
  }

  /** The last known status of each worker. */
  statuses(): WorkerStatus[] {
    return [...this.#workers.values()].flatMap(({ status }) => (status === undefined ? [] : [status]));
  }

  /** Whether all workers are idle, and how much has moved between threads so far; asked now. */
  async resting(): Promise<{ readonly idle: boolean; readonly activity: number }> {
    const asked = await Promise.allSettled([...this.#workers.values()].map((worker) => this.#ask(worker)));
    const all = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    return {
      // One that is being replaced may have everything before it.
      idle:
        all.length === this.#around.placement.workers &&
        this.vacancies().length === 0 &&
        all.every((status) => status.idle),
      activity: all.reduce((sum, status) => sum + status.activity, this.#around.links.crossed),
    };
  }

  /** @throws TROUPE_WORKER_LOST when the worker dies of it, or meanwhile */
  async spawn(name: string, id: string, args: unknown): Promise<void> {
    const packed = this.#around.codec.pack(exactValue(args));
    const worker = await this.#at(name, id);
    const entry = this.#roster.enter({ name, id }, packed);
    try {
      await worker.control.call('spawn', orderOf(entry));
      this.#roster.spawned(entry);
    } catch (error) {
      this.#roster.strike(entry.ordinal);
      throw error;
    }
  }

  async stopActor(name: string, id: string): Promise<void> {
    this.#roster.resign({ name, id });
    const worker = await this.#at(name, id);
    await worker.control.call('stopActor', { name, id }).catch((error: unknown) => {
      if (!worker.gone) throw error;
    });
  }

  /** Handlers of reactions shall come to their end, or are not heard any more. */
  stopReactions(stage: 'ending' | 'over'): void {
    this.#reactionsStop = stage;
    for (const worker of this.#workers.values()) worker.control.note('stopReactions', stage);
  }

  /** Tells the workers that want to hear of it what has been committed. */
  committed(committed: CommittedEvents): void {
    for (const worker of this.#workers.values()) {
      if (worker.watchesEvents) worker.control.note('committed', committed);
    }
  }

  /** Finishes what the workers have to do, within the time; what is lost meanwhile goes to the successor. */
  async drain(timeoutMs: number): Promise<Drained> {
    const deadlineMs = systemClock.monotonic() + timeoutMs;
    const leftMs = (): number => Math.max(0, deadlineMs - systemClock.monotonic());
    // A worker can't know what is on its way to it: all have to be at rest before the first one may stop.
    let complete = await untilTrue(() => this.#isQuiet(leftMs()), leftMs());
    this.#roster.close();
    const unhandled: Record<string, number> = {};
    let silent = this.#workers.size;
    const stops = [...this.#workers.values()].map(async (worker) => {
      // The worker's own answer to this call.
      const left = (await worker.control.call('stop', { timeoutMs: leftMs() })) as Readonly<Record<string, number>>;
      for (const [name, count] of Object.entries(left)) unhandled[name] = (unhandled[name] ?? 0) + count;
      silent -= 1;
    });
    await within(Promise.allSettled(stops), Math.max(leftMs(), LIMITS.workerEndMs));
    // One that is blocked doesn't answer.
    complete &&= silent === 0;
    return { complete, unhandled };
  }

  /** Ends the threads; those that don't end by themselves are ended from outside. */
  async end(): Promise<void> {
    this.#succession.close();
    this.#timer?.cancel();
    this.#watch.stop();
    const error = new TroupeError('TROUPE_SYSTEM_STOPPED', 'the system has stopped');
    const all = [...this.#workers.values()];
    this.#workers.clear();
    for (const worker of all) worker.control.note('end');
    await Promise.all(all.map((worker) => within(worker.ended, LIMITS.workerEndMs)));
    for (const worker of all) worker.close(error);
    await this.#pool.destroy();
  }

  #make(index: ThreadIndex): WorkerHandle {
    const { settings, journal, pages, placement, births, facts } = this.#around;
    const worker: WorkerHandle = new WorkerHandle({
      index,
      workers: placement.workers,
      births,
      settings,
      journal,
      pages,
      pool: this.#pool,
      handlers: this.#handlers(index),
      folds: this.#around.folds,
      lost: (lost, cause) => {
        if (!this.#begun) return;
        if (lost.status !== undefined) facts.keep(lost.status.facts);
        this.#succession.lost(lost, cause);
        this.#roster.lost(({ name, id }) => placement.homeOf(name, id) === index);
      },
    });
    this.#workers.set(index, worker);
    if (facts.wanted) worker.control.note('watchFacts', true);
    if (this.#reactionsStop !== undefined) worker.control.note('stopReactions', this.#reactionsStop);
    return worker;
  }

  /** What a worker may say of itself. */
  #handlers(index: ThreadIndex): ControlHandlers {
    return {
      letter: (bytes: Uint8Array) => this.#around.letter(bytes),
      letterGone: (id: string) => this.#around.letterGone(id),
      log: (line: Uint8Array) => writeLine(this.#around.log, line),
      watchEvents: (wanted: boolean) => {
        const worker = this.#workers.get(index);
        if (worker !== undefined) worker.watchesEvents = wanted;
      },
      remind: (request: ReminderRequest) => this.#around.reminders.remind(request),
      forget: ({ target, targetId, name }: ReminderKey) => this.#around.reminders.forget(target, targetId, name),
      offload: ({ exported, input }: OffloadTask) => this.#around.offloads?.outcome(exported, input),
      stopActor: ({ name, id }: { name: string; id: string }) => this.stopActor(name, id),
      // Packed by the worker.
      facts: (bytes: Uint8Array) =>
        this.#around.facts.receive(index, this.#around.codec.unpack(bytes) as RuntimeFact[]),
      // Packed by the worker's signal post.
      report: (bytes: Uint8Array) => this.#roster.report(this.#around.codec.unpack(bytes) as Report),
      watches: ({ watcher, of, stands }: { watcher: Ordinal; of: InstanceAddress; stands: boolean }) =>
        this.#roster.watches(watcher, of, stands),
      heap: (usedMb: number) => {
        const worker = this.#workers.get(index);
        const limit = this.#around.settings.limits.heapMb ?? 0;
        if (worker !== undefined)
          void this.#succession.retire(worker, `its heap has ${usedMb} MiB, limit ${limit} MiB`);
      },
    };
  }

  /** Plain actors of a lost worker begin another life; that is no restart by their supervisor, and no end. */
  async #respawn(worker: WorkerHandle): Promise<void> {
    const { placement } = this.#around;
    const all = this.#roster.of(({ name, id }) => placement.homeOf(name, id) === worker.index);
    // One at a time only where one of them may have killed the last successor: then it has to be seen which.
    const atOnce = this.#mortal.has(worker.index) ? 1 : RESPAWNED_AT_ONCE;
    for (let from = 0; from < all.length; from += atOnce) {
      const some = all.slice(from, from + atOnce);
      const outcomes = await Promise.allSettled(
        some.map((entry) => worker.control.call('spawn', { ...orderOf(entry), anew: true })),
      );
      if (worker.gone) this.#mortal.add(worker.index);
      for (const [index, outcome] of outcomes.entries()) {
        const entry = some[index];
        if (entry === undefined) continue;
        if (outcome.status === 'fulfilled') {
          entry.deaths = 0;
          continue;
        }
        if (worker.gone) entry.deaths += 1;
        if (!worker.gone || (atOnce === 1 && entry.deaths >= MOST_DEATHS)) {
          this.#roster.strike(entry.ordinal);
          this.#around.log.error(`${entry.name}/${entry.id} can't be started again`, {
            error: outcome.reason as unknown,
          });
        }
      }
      if (worker.gone) return;
    }
    this.#mortal.delete(worker.index);
    // Now that all are there who will be: whom they find gone has ended.
    for (const { name, id, watched } of all) {
      if (watched.size > 0) worker.control.note('watchAgain', { name, id, all: [...watched.values()] });
    }
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

  async #ask(worker: WorkerHandle): Promise<WorkerStatus> {
    // The worker's own answer to this call.
    const status = (await worker.control.call('status')) as WorkerStatus;
    worker.status = status;
    return status;
  }

  async #isQuiet(limitMs: number): Promise<boolean> {
    if (this.#around.links.unfinished > 0 || this.vacancies().length > 0) return false;
    let quiet = false;
    const look = async (): Promise<void> => {
      const first = await this.resting();
      if (!first.idle) return;
      const second = await this.resting();
      quiet = second.idle && second.activity === first.activity && this.#around.links.unfinished === 0;
    };
    // A blocked one doesn't answer.
    await within(look(), limitMs);
    return quiet;
  }

  /** The worker of an instance, when it has taken its place. */
  async #at(name: string, id: string): Promise<WorkerHandle> {
    const index = this.#around.placement.threadOf(name, id);
    for (let filled = this.#succession.filled(index); filled !== undefined; filled = this.#succession.filled(index)) {
      await filled;
    }
    const worker = this.#workers.get(index);
    if (worker !== undefined) return worker;
    throw new TroupeError('TROUPE_SYSTEM_STOPPED', `${name}/${id}: the system has stopped`);
  }
}

function orderOf({ name, id, args, ordinal }: RosterEntry): SpawnOnWorker {
  return { name, id, args, ordinal, anew: false };
}
