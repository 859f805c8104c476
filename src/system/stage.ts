/**
 * The stage: the cells of one thread, and the router that takes messages to them.
 *
 * The same stage stands on the caller's thread (`workers: 0`) and on each worker; journal, dead letters and clock are
 * handed in, and what lives elsewhere is reached through the same router.
 */
import { ActorHost } from '../actors/actor-host.js';
import { AggregateHost } from '../actors/aggregate-host.js';
import type { RuntimeActor } from '../actors/actor-definition.js';
import type { InstanceAddress, Ordinal, SignalPost } from '../actors/signal.js';
import type { MessageSource } from '../actors/actor-surroundings.js';
import { Dispatcher } from '../actors/dispatcher.js';
import { type RefSurroundings, RoutedRef } from '../actors/routed-ref.js';
import type { SupervisionSettings } from '../actors/supervision-options.js';
import { PendingSend } from '../actors/pending-send.js';
import { toDeadLetters } from '../actors/undeliverable.js';
import { type Clock, systemClock, systemRandom } from '../core/clock.js';
import type { DeadLetterSink } from '../core/dead-letter.js';
import type { Deadlines } from '../core/deadlines.js';
import type { Envelope, Post } from '../core/envelope.js';
import { HandlingMark } from '../core/handling-mark.js';
import { LIMITS } from '../core/limits.js';
import type { FactSink } from '../core/runtime-fact.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { CellJournal } from '../journal/journal.js';
import type { Observable } from 'rxjs';
import { quarantineError } from '../threads/worker-lost.js';
import type { Cast } from './cast.js';
import type { ReminderPost } from '../timers/reminders.js';
import type { Offload } from './offload.js';
import type { Router } from './router.js';

/** What a stage is given by its thread. */
export interface StageSurroundings {
  readonly cast: Cast;
  readonly journal: CellJournal;
  readonly deadLetters: DeadLetterSink;
  readonly facts: FactSink;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  readonly askTimeoutMs: number;
  /** Of top-level actors; undefined: they are supervised from another thread. */
  readonly supervision: SupervisionSettings | undefined;
  /** Committed events, live. */
  readonly events$: Observable<RecordedEvent>;
  /** Where the thread shows what it has in hand. Default: nobody reads that. */
  readonly mark?: HandlingMark | undefined;
  readonly deadlines: Deadlines;
  /** Empty when handed in: the stage adds its hosts. */
  readonly router: Router;
  /** The way of signals to other threads. Default: all actors are on this one. */
  readonly signals?: SignalPost | undefined;
  /** Runs a function that the cast exports on a pool thread. */
  readonly offload: Offload;
  /** Told of whom top-level actors watch. */
  readonly onWatch?: ((watcher: Ordinal, of: InstanceAddress, stands: boolean) => void) | undefined;
  readonly reminders: ReminderPost;
  /** Told of each actor that begins and ends on this thread. */
  readonly onStage?: ((name: string, id: string, living: boolean) => void) | undefined;
  /** Whether an actor is known to live on another thread. */
  readonly livesElsewhere?: ((name: string, id: string) => boolean) | undefined;
  /** Stops an actor of another thread; false: it lives on this one. */
  readonly stopElsewhere?: ((name: string, id: string) => Promise<boolean>) | undefined;
}

export class Stage {
  readonly router: Router;
  readonly aggregates: readonly AggregateHost[];
  readonly actors: ActorHost;
  readonly #around: StageSurroundings;
  readonly #surroundings = new WeakMap<Post, RefSurroundings>();

  constructor(around: StageSurroundings) {
    this.#around = around;
    this.router = around.router;
    const { cast } = around;
    const shared = { ...around, mark: around.mark ?? new HandlingMark(), dispatcher: new Dispatcher(systemClock) };
    this.aggregates = cast.aggregates.map((definition) => new AggregateHost(shared, definition));
    const definitions = new Map(cast.actors.map((definition) => [definition.name, definition]));
    const { signals, ...facilities } = shared;
    this.actors = new ActorHost({
      ...facilities,
      ...(signals === undefined ? {} : { signals }),
      post: this.router,
      definition: (name) => definitions.get(name),
      random: systemRandom,
      stopTimeoutMs: LIMITS.actorStopTimeoutMs,
      makeRef: (name, id, source) => this.ref(this.router, name, id, source),
    });
    for (const host of this.aggregates) this.router.add({ kind: 'aggregate', definition: host.definition, host });
    for (const definition of cast.actors) this.router.add({ kind: 'actor', definition, host: this.actors });
  }

  /** A reference whose messages go through `post`, in the name of `source` if there is one. */
  ref(post: Post, name: string, id: string, source?: MessageSource): RoutedRef {
    return new RoutedRef(this.#refSurroundings(post), name, id, source);
  }

  /** Messages of aggregates under way on this thread: waiting, handled, or being committed. */
  get unfinished(): number {
    let count = 0;
    for (const host of this.aggregates) count += host.unfinished;
    return count;
  }

  /** Messages that have no outcome yet, by definition. */
  unhandled(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = { ...this.actors.waiting() };
    for (const { definition, unfinished } of this.aggregates) if (unfinished > 0) counts[definition.name] = unfinished;
    return counts;
  }

  /** Whether nothing waits and nothing is handled. */
  get idle(): boolean {
    return this.unfinished === 0 && !this.actors.busy;
  }

  /** Nothing stays in memory; what still waits for an aggregate fails with `error`. */
  end(error: TroupeError): void {
    for (const host of this.aggregates) host.end(error);
  }

  /** A message that nobody waits for can't be delivered. */
  undelivered(envelope: Envelope, error: TroupeError): void {
    toDeadLetters(this.#around.deadLetters, envelope, error);
  }

  /** A message has killed its worker, and the successor while it was the only one there. */
  quarantined(envelope: Envelope): void {
    const { sink } = envelope;
    const error = quarantineError(envelope);
    // Of one that was taken, its sink makes the dead letter.
    if (!(sink instanceof PendingSend && sink.settled)) this.undelivered(envelope, error);
    sink?.fail(error);
  }

  /** The definition of an actor of the cast. */
  actorNamed(name: string): RuntimeActor | undefined {
    return this.#around.cast.actors.find((definition) => definition.name === name);
  }

  async #stop(name: string, id: string): Promise<void> {
    if ((await this.#around.stopElsewhere?.(name, id)) === true) return;
    await this.actors.stop(name, id);
  }

  /** The same for all references that send through one post office. */
  #refSurroundings(post: Post): RefSurroundings {
    const known = this.#surroundings.get(post);
    if (known !== undefined) return known;
    const made: RefSurroundings = {
      post,
      deadlines: this.#around.deadlines,
      askTimeoutMs: this.#around.askTimeoutMs,
      nearby: (name, id) => this.actors.find(name, id),
      isQuery: (target, type) => this.router.isQuery(target, type),
      withdraw: (envelope) => this.router.withdraw(envelope),
      undelivered: (envelope, error) => this.undelivered(envelope, error),
      stop: (target, id) => this.#stop(target, id),
    };
    this.#surroundings.set(post, made);
    return made;
  }
}
