/**
 * The crew: everything that a system with worker threads has beyond one without.
 *
 * With `workers: 0` there is none, and all instances live on the main thread's stage; else that stage stays empty and
 * the router sends everything over the links.
 */
import { availableParallelism } from 'node:os';
import { systemClock } from '../core/clock.js';
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import type { Envelope } from '../core/envelope.js';
import { LIMITS } from '../core/limits.js';
import { TroupeError } from '../core/troupe-error.js';
import { type AttemptsElsewhere, withoutCommand } from '../reactions/distant-attempts.js';
import { pagesNearby } from '../streams/event-window.js';
import { FoldCrew } from '../threads/fold-crew.js';
import { Births } from '../threads/births.js';
import { FrameCodec } from '../threads/frame-codec.js';
import { Links } from '../threads/links.js';
import { Placement } from '../threads/placement.js';
import { quarantineError } from '../threads/worker-lost.js';
import type { Router } from './router.js';
import type { Runtime } from './runtime.js';
import type { SystemSettings } from './system-options.js';
import { Workers } from './workers.js';

export interface Crew {
  readonly placement: Placement;
  readonly links: Links;
  readonly workers: Workers;
  /** The folds of projections. */
  readonly folds: FoldCrew;
  /** Handlers of reactions run on the workers, each where the event was made. */
  readonly attempts: AttemptsElsewhere;
}

/** The number of worker threads that the settings mean. */
function workersOf({ workers, cast }: SystemSettings): number {
  if (workers !== 'auto') return workers;
  // Definitions given directly can't be imported by another thread.
  return Array.isArray(cast) ? 0 : Math.max(1, availableParallelism() - 1);
}

/**
 * Makes the crew, not started yet; undefined without workers.
 *
 * @throws TROUPE_INVALID_OPTIONS when the cast was given as definitions, which no other thread could import.
 */
export function hireCrew(runtime: Runtime, router: Router): Crew | undefined {
  const { settings, journal, stage, deadLetters } = runtime;
  const count = workersOf(settings);
  if (count === 0) return undefined;
  if (Array.isArray(settings.cast)) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      "ActorSystem.start: with workers the cast has to be the URL of a module, which each worker imports: new URL('./cast.js', import.meta.url); or set workers: 0",
    );
  }
  if (settings.clock !== systemClock) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      'ActorSystem.start: option "clock" is a clock of this thread, which workers could not read; set workers: 0, or leave the clock out',
    );
  }
  const birthsMemory = Births.memory();
  const births = new Births(birthsMemory);
  const placement = new Placement(count, births);
  const codec = new FrameCodec((name, id) => runtime.ref(name, id));
  const aggregates = new Set(runtime.cast.aggregates.map((definition) => definition.name));
  const reactions = new Set(runtime.cast.reactions.map((definition) => definition.name));
  const links = new Links({
    here: 0,
    placement,
    births,
    codec,
    limits: { credits: LIMITS.linkCredits, backlog: LIMITS.linkBacklog, frame: LIMITS.linkFrame },
    local: {
      deliver: (envelope) => router.deliverHere(envelope),
      withdraw: (envelope) => router.withdrawHere(envelope),
      signal: (to, signal) => stage.actors.signal(to, signal),
      bind: (name, id, value) => stage.actors.bind(name, id, value),
      renewWatches: (isLost) => stage.actors.renewWatches(isLost),
      // No plain actor lives here.
      nearby: () => undefined,
      contested: () => undefined,
    },
    isAggregate: (target) => aggregates.has(target),
    isReaction: (target) => reactions.has(target),
    newId: runtime.newId,
    undelivered: (envelope, error) => stage.undelivered(envelope, error),
    quarantined: (envelope, nth) => {
      if (reactions.has(envelope.target)) return quarantinedAttempt(envelope, nth);
      stage.quarantined(envelope);
      return undefined;
    },
  });
  const folds = new FoldCrew(count, settings.log);
  const workers = new Workers({
    settings,
    journal,
    pages: pagesNearby(runtime.window, journal),
    placement,
    births: birthsMemory,
    links,
    codec,
    folds,
    facts: runtime.facts,
    letter: (bytes) => {
      // Packed by the worker's dead-letter sink.
      const [letter, trace] = codec.unpack(bytes) as [DeadLetter, DeadLetterTrace | undefined];
      deadLetters.add(letter, trace);
    },
    offloads: runtime.offloads,
    reminders: runtime.reminders,
    letterGone: (id) => deadLetters.remove(id),
    log: settings.log,
  });
  router.forwardTo(links);
  const attempts: AttemptsElsewhere = {
    deliver: (envelope, { aggregate, aggregateId }) =>
      links.deliverTo(placement.homeOf(aggregate, aggregateId), envelope),
    stop: (stage) => workers.stopReactions(stage),
  };
  return { placement, links, workers, attempts, folds };
}

/** The event of an attempt that kills workers is parked, which makes it a dead letter. */
function quarantinedAttempt(envelope: Envelope, nth: number): Envelope | undefined {
  const instead = withoutCommand(envelope, nth);
  if (instead === undefined) envelope.sink?.fail(quarantineError(envelope));
  return instead;
}
