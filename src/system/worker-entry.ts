/**
 * What runs on a worker thread: a stage like that of `workers: 0`, with its journal at the end of a port.
 *
 * Started by the pool as one long task; it ends when the main thread says so. The cast is imported here, so a
 * definition never closes over anything of the thread that started the system.
 */
import type { MessagePort } from '../threads/channel.js';
import { knownBy, presentBy } from '../actors/present-event.js';
import type { InstanceAddress, Ordinal, Signal } from '../actors/signal.js';
import { checkMessage } from '../actors/message-check.js';
import { thrownText } from '../supervision/thrown.js';
import { type FactCounts, Facts } from '../core/facts.js';
import type { RuntimeFact } from '../core/runtime-fact.js';
import { systemClock, type Timer } from '../core/clock.js';
import type { DeadLetter, DeadLetterSink } from '../core/dead-letter.js';
import { Deadlines } from '../core/deadlines.js';
import { HandlingMark, type Suspects } from '../core/handling-mark.js';
import { randomIds } from '../core/ids.js';
import { LIMITS } from '../core/limits.js';
import type { Logger } from '../core/logger.js';
import { TroupeError } from '../core/troupe-error.js';
import type { CommittedEvents } from '../journal/journal.js';
import { AttemptHost } from '../reactions/attempt-host.js';
import { workerLost } from '../threads/worker-lost.js';
import { ControlPort } from '../threads/control.js';
import { distantLog } from '../threads/distant-log.js';
import { exactValue } from '../threads/exact-value.js';
import { FoldHost } from '../threads/fold-host.js';
import { Births } from '../threads/births.js';
import { FrameCodec } from '../threads/frame-codec.js';
import type { JournalAnswers } from '../threads/journal-wire.js';
import { Links } from '../threads/links.js';
import { Placement, type ThreadIndex } from '../threads/placement.js';
import { RemoteJournal } from '../threads/remote-journal.js';
import { loadCast } from './cast.js';
import type { OffloadOutcome } from '../threads/offload-entry.js';
import { offloadBy } from './offload.js';
import { giveWay } from '../threads/thread-priority.js';
import { TurnBatch } from '../threads/turn-batch.js';
import { Router } from './router.js';
import { Stage } from './stage.js';
import { untilTrue } from './settle.js';
import { WorkerEvents } from './worker-events.js';
import { HeapLimit, heapTakenMb } from './worker-heap.js';

/** What a worker is started with. */
export interface WorkerStart {
  readonly index: ThreadIndex;
  readonly workers: number;
  readonly cast: string;
  readonly askTimeoutMs: number;
  readonly head: number;
  /** Where it shows its pulse, and what it has in hand (handling-mark.ts). */
  readonly memory: SharedArrayBuffer;
  /** Memory of `Births`, which all threads share. */
  readonly births: SharedArrayBuffer;
  /** Soft limit of its heap. */
  readonly heapMb: number | undefined;
  readonly pulseEveryMs: number;
  readonly control: MessagePort;
  readonly journal: MessagePort;
  readonly folds: MessagePort;
}

/** A top-level actor to be spawned on a worker. */
export interface SpawnOnWorker {
  readonly name: string;
  readonly id: string;
  readonly args: Uint8Array;
  readonly ordinal: Ordinal;
  /** Whether it has lived before, on a worker that was lost. */
  readonly anew: boolean;
}

/** How a worker is, asked for by `status`. */
export interface WorkerStatus {
  readonly idle: boolean;
  /** Stands still when nothing happens. */
  readonly activity: number;
  readonly unfinished: number;
  readonly handled: number;
  readonly eventsSkipped: number;
  readonly subscriberErrors: number;
  readonly actorsBusy: boolean;
  readonly instances: Readonly<Record<string, number>>;
  readonly facts: FactCounts;
}

/** The pool's task. Resolves when the worker has ended as it was told. */
export default async function runWorker(start: WorkerStart): Promise<void> {
  giveWay();
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const worker = new WorkerStage(start, end);
  await worker.start();
  await ended;
}

class WorkerStage {
  readonly #start: WorkerStart;
  readonly #control: ControlPort;
  readonly #log: Logger;
  readonly #facts: Facts;
  readonly #factBatch = new TurnBatch<RuntimeFact>((facts) => {
    this.#control.note('facts', this.#codec?.pack(facts.map(carriedFact)));
  });
  readonly #end: () => void;
  readonly #newId = randomIds();
  readonly #deadlines = new Deadlines(systemClock);
  readonly #events: WorkerEvents;
  #stage: Stage | undefined;
  #attempts: AttemptHost | undefined;
  #reactionsStop: 'ending' | 'over' | undefined;
  #links: Links | undefined;
  #folds: FoldHost | undefined;
  #journal: RemoteJournal | undefined;
  #codec: FrameCodec | undefined;
  readonly #mark: HandlingMark;
  #heap: HeapLimit | undefined;
  #pulse: Timer | undefined;

  constructor(start: WorkerStart, end: () => void) {
    this.#start = start;
    this.#end = end;
    this.#mark = new HandlingMark(start.memory);
    this.#control = new ControlPort(
      start.control,
      {
        stopReactions: (stage: 'ending' | 'over') => {
          this.#reactionsStop = stage;
          this.#attempts?.stop(stage);
        },
        peer: ({ index, port, open }: { index: ThreadIndex; port: MessagePort; open: boolean }) => {
          this.#links?.connect(index, port);
          if (open) this.#links?.open(index);
        },
        lost: ({ index, suspects }: { index: ThreadIndex; suspects: Suspects }) =>
          this.#links?.lost(index, workerLost(index), suspects),
        tryOut: (index: ThreadIndex) => this.#links?.tryOut(index),
        open: (index: ThreadIndex) => this.#links?.open(index),
        pause: (index: ThreadIndex) => this.#links?.pause(index),
        rest: ({ timeoutMs }: { timeoutMs: number }) => this.#rest(timeoutMs),
        committed: (committed: CommittedEvents) => this.#events.committed(committed),
        spawn: (request: SpawnOnWorker) => this.#spawn(request),
        watchAgain: ({ name, id, all }: { name: string; id: string; all: readonly InstanceAddress[] }) => {
          for (const of of all) this.#stage?.actors.find(name, id)?.cycle.watch.watch(of, true);
        },
        stopActor: ({ name, id }: { name: string; id: string }) => this.#stage?.actors.stop(name, id),
        watchFacts: (wanted: boolean) => this.#facts.listen(wanted ? (fact) => this.#factBatch.add(fact) : undefined),
        status: () => this.#status(),
        stop: ({ timeoutMs }: { timeoutMs: number }) => this.#stop(timeoutMs),
        end: () => this.#leave(),
        // The answer says that all ways have been connected that it was told of before.
        introduced: () => undefined,
      },
      () => this.#links?.announce(),
    );
    this.#log = distantLog((line) => this.#control.note('log', line));
    this.#facts = new Facts(this.#log);
    this.#events = new WorkerEvents(start.head, this.#log, (wanted) => this.#control.note('watchEvents', wanted));
  }

  async start(): Promise<void> {
    const { index, workers, askTimeoutMs, head } = this.#start;
    try {
      const cast = await loadCast(this.#start.cast);
      const journalPort = this.#start.journal;
      const journal = new RemoteJournal(head, (requests) => {
        this.#links?.announce();
        journalPort.postMessage(requests);
      });
      journalPort.on('message', (answers: JournalAnswers) => journal.receive(answers));
      this.#journal = journal;
      const router = new Router();
      const deadLetters = this.#deadLetters();
      const aggregates = new Set(cast.aggregates.map((definition) => definition.name));
      const codec = new FrameCodec((name, id) => stage.ref(router, name, id));
      const births = new Births(this.#start.births);
      const links: Links = new Links({
        here: index,
        placement: new Placement(workers, births),
        births,
        codec,
        limits: { credits: LIMITS.linkCredits, backlog: LIMITS.linkBacklog, frame: LIMITS.linkFrame },
        local: {
          deliver: (envelope) => {
            if (!router.deliverHere(envelope)) attempts.deliver(envelope);
          },
          withdraw: (envelope) => router.withdrawHere(envelope),
          signal: (to, signal) => stage.actors.signal(to, signal),
          bind: (name, id, value) => stage.actors.bind(name, id, value),
          renewWatches: (isLost) => stage.actors.renewWatches(isLost),
          nearby: (name, id) => stage.actors.find(name, id),
          contested: (name, id, thread) =>
            this.#log.error(
              `${name}/${id} is running already: the child of that id that was spawned on worker ${thread} is stopped; choose another id`,
            ),
        },
        isAggregate: (target) => aggregates.has(target),
        // Attempts come from the main thread only.
        isReaction: () => false,
        newId: this.#newId,
        undelivered: (envelope, error) => stage.undelivered(envelope, error),
        quarantined: (envelope) => {
          stage.quarantined(envelope);
          return undefined;
        },
      });
      const stage: Stage = new Stage({
        cast,
        journal,
        deadLetters,
        facts: this.#facts,
        clock: systemClock,
        log: this.#log,
        newId: this.#newId,
        askTimeoutMs,
        supervision: undefined,
        events$: this.#events.events$,
        mark: this.#mark,
        deadlines: this.#deadlines,
        router,
        reminders: {
          remind: async (request) => void (await this.#control.call('remind', request)),
          forget: async (target, targetId, name) =>
            void (await this.#control.call('forget', { target, targetId, name })),
        },
        offload: offloadBy(cast, codec, (exported, input) => this.#offload(exported, input)),
        signals: { signal: (to, signal) => this.#signal(links, to, signal) },
        onWatch: (watcher, of, stands) => this.#control.note('watches', { watcher, of, stands }),
        onStage: (name, id, living) => links.staged(name, id, living),
        stopElsewhere: (name, id) => this.#stopElsewhere(name, id),
        livesElsewhere: (name, id) => links.livesElsewhere(name, id),
      });
      const attempts = new AttemptHost({
        definitions: cast.reactions,
        post: router,
        deadlines: this.#deadlines,
        clock: systemClock,
        log: this.#log,
        askTimeoutMs,
        mark: this.#mark,
        letters: deadLetters,
        present: presentBy(cast.aggregates),
        quarantined: (envelope) => stage.quarantined(envelope),
      });
      if (this.#reactionsStop !== undefined) attempts.stop(this.#reactionsStop);
      router.forwardTo(links);
      this.#attempts = attempts;
      this.#codec = codec;
      this.#folds = new FoldHost(this.#start.folds, {
        definitions: cast.projections,
        present: presentBy(cast.aggregates),
        known: knownBy(cast.aggregates),
        mark: this.#mark,
        log: this.#log,
      });
      this.#links = links;
      this.#stage = stage;
      if (this.#start.heapMb !== undefined) this.#heap = new HeapLimit(this.#start.heapMb);
      this.#beat();
      this.#control.note('started');
    } catch (error) {
      this.#control.note('failed', error instanceof TroupeError ? error.message : String(error));
      throw error;
    }
  }

  #spawn({ name, id, args, ordinal, anew }: SpawnOnWorker): void {
    const definition = this.#stage?.actorNamed(name);
    if (definition === undefined || this.#codec === undefined) throw new Error(`there is no actor ${name}`);
    this.#stage?.actors.spawn(definition, { id, args: this.#codec.unpack(args), ordinal, anew });
  }

  /** Top-level actors report to the main thread, which also knows where to stop whom. */
  #signal(links: Links, to: InstanceAddress | undefined, signal: Signal): void {
    if (to === undefined) {
      // What the main thread makes of it is told behind the facts that have led to it.
      this.#factBatch.flush();
      const report = signal.kind === 'child-failed' ? { ...signal, error: carriedError(signal.error) } : signal;
      this.#control.note('report', this.#codec?.pack(report));
    } else if (signal.kind === 'stop' && !links.isHere(to)) this.#control.note('stopActor', to);
    else links.signal(to, signal);
  }

  /** The pool is the main thread's, one for all workers. */
  async #offload(exported: string, input: Uint8Array): Promise<unknown> {
    // The main thread's answer to this call.
    const outcome = (await this.#control.call('offload', { exported, input })) as OffloadOutcome;
    const value = this.#codec?.unpack(outcome.packed);
    if (outcome.failed) throw value;
    return value;
  }

  #status(): WorkerStatus {
    const stage = this.#stage;
    const links = this.#links;
    const journal = this.#journal;
    if (stage === undefined || links === undefined || journal === undefined) {
      const facts = this.#facts.counts;
      const nothing = { unfinished: 0, handled: 0, eventsSkipped: 0, subscriberErrors: 0, actorsBusy: false };
      return { idle: true, activity: 0, ...nothing, instances: {}, facts };
    }
    const instances: Record<string, number> = {};
    let handled = 0;
    let eventsSkipped = 0;
    for (const host of stage.aggregates) {
      instances[host.definition.name] = host.size;
      handled += host.handled;
      eventsSkipped += host.eventsSkipped;
    }
    for (const [name, count] of stage.actors.counts()) instances[name] = count;
    return {
      idle: stage.idle && this.#attempts?.open === 0 && journal.pending === 0 && links.unfinished === 0,
      activity: links.crossed,
      unfinished: stage.unfinished + links.unfinished,
      handled,
      eventsSkipped,
      subscriberErrors: this.#events.errors,
      actorsBusy: stage.actors.busy,
      instances,
      facts: this.#facts.counts,
    };
  }

  /** Resolves with the messages that have not been handled, by definition. */
  async #stop(timeoutMs: number): Promise<Readonly<Record<string, number>>> {
    const deadlineMs = systemClock.monotonic() + timeoutMs;
    await untilTrue(() => this.#status().idle, timeoutMs);
    const unhandled = this.#stage?.unhandled() ?? {};
    await this.#stage?.actors.stopAll(Math.max(0, deadlineMs - systemClock.monotonic()));
    const late = new TroupeError(
      'TROUPE_SYSTEM_STOPPED',
      'the system has stopped; the message was not handled within the time that stop() had',
    );
    this.#stage?.end(late);
    this.#links?.flush();
    this.#links?.end(late);
    return unhandled;
  }

  /** What is under way comes to its end, within the time, and its outcomes leave. */
  async #rest(timeoutMs: number): Promise<void> {
    await untilTrue(() => this.#status().idle, timeoutMs);
    this.#links?.flush();
  }

  /** Tells the main thread that this loop isn't blocked, and when its heap is too large. */
  #beat(): void {
    this.#mark.beat(heapTakenMb());
    const usedMb = this.#heap?.exceeded();
    if (usedMb !== undefined) {
      this.#heap = undefined;
      this.#control.note('heap', usedMb);
    }
    this.#pulse = systemClock.setTimer(this.#start.pulseEveryMs, () => this.#beat(), true);
  }

  /** What has been committed meanwhile gets its answer. */
  async #leave(): Promise<void> {
    await untilTrue(() => (this.#journal?.pending ?? 0) === 0, LIMITS.workerEndMs / 2);
    this.#links?.flush();
    this.#pulse?.cancel();
    this.#deadlines.clear();
    this.#links?.close();
    this.#start.journal.close();
    this.#folds?.close();
    this.#control.close(new TroupeError('TROUPE_SYSTEM_STOPPED', 'the system has stopped'));
    this.#end();
  }

  #deadLetters(): DeadLetterSink {
    return {
      add: (letter, trace) => {
        const full: DeadLetter = { ...letter, id: letter.id ?? this.#newId(), at: systemClock.now() };
        this.#control.note('letter', this.#codec?.pack([exactValue(full), trace]));
        return full;
      },
      remove: (id) => this.#control.note('letterGone', id),
    };
  }

  /** Whoever stops an actor on another thread goes through the main one, which knows them all. */
  async #stopElsewhere(name: string, id: string): Promise<boolean> {
    if (this.#links?.isHere({ name, id }) !== false) return false;
    await this.#control.call('stopActor', { name, id });
    return true;
  }
}

/** An error may be anything, also what can't be carried; then the main thread gets what can be said of it. */
function carriedError(error: unknown): unknown {
  if (error instanceof Error) return error;
  try {
    checkMessage(error, 'what was thrown');
    return error;
  } catch {
    return new Error(thrownText(error));
  }
}

function carriedFact(fact: RuntimeFact): RuntimeFact {
  return fact.kind === 'failed' || fact.kind === 'failed-again' ? { ...fact, error: carriedError(fact.error) } : fact;
}
