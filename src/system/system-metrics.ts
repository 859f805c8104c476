/** The numbers and the health of a system as plain data, gathered when asked for. */
import type { BuildProgress } from '../projections/build-progress.js';
import type { SagaNumbers } from '../sagas/saga-numbers.js';
import type { TimerMetrics } from '../timers/timer-service.js';
import type { FactCounts } from '../core/facts.js';
import type { Runtime } from './runtime.js';

/** A reaction or projection, and how far behind the head it is, in positions. */
export interface ConsumerMetrics {
  readonly name: string;
  readonly position: number;
  readonly lag: number;
}

export interface ReactionMetrics extends ConsumerMetrics {
  /** Events being handled or in backoff. */
  readonly inFlight: number;
  readonly parkedKeys: number;
}

/** The instances of one saga; position and lag are those of its start events. */
export type SagaMetrics = SagaNumbers;

export interface ProjectionMetrics extends ConsumerMetrics {
  readonly version: number;
  readonly state: 'running' | 'rebuilding' | 'stopped';
  /** Events that the rows do without. */
  readonly parked?: number;
  /** Events of types that nobody knows, passed over since the start (`unknownEvents: 'skip'`); counted again by a rebuild. */
  readonly skipped?: number;
  /** While it is built anew: how far that is, how fast it goes, and how long it will take. */
  readonly progress?: BuildProgress;
  readonly error?: string;
}

/** What `metrics()` gives. */
export interface SystemMetrics {
  readonly name: string;
  /** Threads that run cells beside the main one. */
  readonly workers: number;
  /** Workers lost and replaced since the start, and why: `exit`, `error`, `blocked`, `heap`. */
  readonly workerLosses: number;
  readonly workerLossReasons: Readonly<Record<string, number>>;
  /** Position of the last committed event. */
  readonly position: number;
  readonly commits: number;
  readonly failedCommits: number;
  readonly bytesWritten: number;
  /** Messages of aggregates waiting, being handled, or being committed. */
  readonly unfinished: number;
  /** Whether any plain actor has something to do. */
  readonly actorsBusy: boolean;
  /** Messages of aggregates that have got their outcome. */
  readonly handled: number;
  /** Recorded events of unknown types passed over (`unknownEvents: 'skip'`): each time that an aggregate was recovered, a log read, a row folded. */
  readonly eventsSkipped: number;
  /** Living instances by definition. */
  readonly instances: Readonly<Record<string, number>>;
  readonly reactions: readonly ReactionMetrics[];
  readonly sagas: readonly SagaMetrics[];
  readonly projections: readonly ProjectionMetrics[];
  /** Durable timers: of sagas, and of reminders. */
  readonly timers: TimerMetrics;
  /** Dead letters since the start, by reason. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** How often each kind of runtime fact was told since the start, on all threads; see `system.facts`. */
  readonly facts: FactCounts;
  /** Exceptions thrown by subscribers of `events` since the start. */
  readonly subscriberErrors: number;
}

/** Something that needs a person. */
export interface Problem {
  readonly kind:
    | 'projection-stopped'
    /** Behind, and not moving for 10 s. */
    | 'projection-stalled'
    /** A read model does without an event (`whenFailed: 'park'`). */
    | 'event-parked'
    | 'key-parked'
    /** A compensation can't succeed, a replay diverged, or a start event can't be used. */
    | 'saga-parked'
    | 'message-quarantined'
    | 'worker-lost';
  /** Name of the projection or reaction; of the definition whose message is quarantined; of the worker. */
  readonly name: string;
  readonly key?: string;
  /** Id of the instance whose message is quarantined, or of the saga. */
  readonly id?: string;
  /** Position of the event, if it is about one. */
  readonly position?: number;
  readonly error: string;
}

/** What `health()` gives. */
export interface Health {
  /** Whether there are no problems. */
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  /** Reactions and projections that are not at the head, those furthest behind first. Being behind is no problem by itself. */
  readonly behind: readonly ConsumerLag[];
}

/** A reaction or projection that is behind the head. */
export interface ConsumerLag {
  readonly kind: 'reaction' | 'projection';
  readonly name: string;
  /** Position up to which it has come. */
  readonly position: number;
  /** Positions from there to the head. */
  readonly lag: number;
}

export function metricsOf(runtime: Runtime): SystemMetrics {
  const { commits, failedCommits, bytesWritten } = runtime.journal.metrics();
  const instances: Record<string, number> = {};
  let handled = 0;
  let eventsSkipped = runtime.reader.eventsSkipped;
  let subscriberErrors = runtime.events.errors;
  const projections = runtime.projections.metrics();
  for (const { skipped = 0 } of projections) eventsSkipped += skipped;
  for (const host of runtime.stage.aggregates) {
    instances[host.definition.name] = host.size;
    handled += host.handled;
    eventsSkipped += host.eventsSkipped;
  }
  for (const [name, count] of runtime.stage.actors.counts()) instances[name] = count;
  let unfinished = runtime.stage.unfinished;
  let actorsBusy = runtime.stage.actors.busy;
  // What lives on workers is as old as the last look at them.
  const statuses = runtime.crew?.workers.statuses() ?? [];
  for (const status of statuses) {
    for (const [name, count] of Object.entries(status.instances)) instances[name] = (instances[name] ?? 0) + count;
    handled += status.handled;
    eventsSkipped += status.eventsSkipped;
    subscriberErrors += status.subscriberErrors;
    unfinished += status.unfinished;
    actorsBusy ||= status.actorsBusy;
  }
  const losses: Readonly<Record<string, number>> = runtime.crew?.workers.losses ?? {};
  return {
    name: runtime.settings.name,
    workers: runtime.crew?.placement.workers ?? 0,
    workerLosses: Object.values(losses).reduce((sum, count) => sum + count, 0),
    workerLossReasons: losses,
    position: runtime.window.head,
    commits,
    failedCommits,
    bytesWritten,
    unfinished,
    actorsBusy,
    handled,
    eventsSkipped,
    instances,
    reactions: runtime.reactions.metrics(),
    sagas: runtime.sagas.metrics(),
    projections,
    timers: runtime.timers.metrics(),
    deadLetters: runtime.deadLetters.counts(),
    facts: runtime.facts.counts(statuses.map(({ facts }) => facts)),
    subscriberErrors,
  };
}

export function healthOf(runtime: Runtime): Health {
  const problems: Problem[] = [
    ...runtime.projections.problems(),
    ...runtime.reactions.problems().map((one) => ({ kind: 'key-parked' as const, ...one })),
    ...runtime.sagas.problems().map((one) => ({ kind: 'saga-parked' as const, ...one })),
    ...runtime.deadLetters.withReason('quarantined').map(({ target, type, error }) => ({
      kind: 'message-quarantined' as const,
      ...target,
      error: `${type}: ${error?.message ?? ''}`,
    })),
    ...(runtime.crew?.workers.vacancies() ?? []).map(({ index, error }) => ({
      kind: 'worker-lost' as const,
      name: `worker ${index}`,
      error,
    })),
  ];
  return { ok: problems.length === 0, problems, behind: behindOf(runtime) };
}

function behindOf(runtime: Runtime): ConsumerLag[] {
  return [
    ...runtime.reactions.metrics().map((one) => ({ kind: 'reaction' as const, ...one })),
    ...runtime.projections.metrics().map((one) => ({ kind: 'projection' as const, ...one })),
  ]
    .filter(({ lag }) => lag > 0)
    .map(({ kind, name, position, lag }) => ({ kind, name, position, lag }))
    .sort((a, b) => b.lag - a.lag);
}
