/** Everything public of `troupe`; operators and the testkit have sub-paths of their own. */
export { type ActorDefinition, type ArgsOf, actor, type RuntimeActor } from './actors/actor-definition.js';
export type { ActorContext, ScheduledMessage, ScheduleTiming, SpawnOptions } from './actors/actor-context.js';
export type { ActorRef, Addressable } from './actors/actor-ref.js';
export type { AggregateContext, CommandFacts } from './actors/aggregate-context.js';
export {
  type AggregateDefinition,
  aggregate,
  type EventsOf,
  type RuntimeAggregate,
  type StateOf,
} from './actors/aggregate-definition.js';
export type { EventToAppend, ExpectedVersion } from './actors/system-request.js';
export type { AskOptions, MessageOptions, Receipt } from './actors/message-options.js';
export type { Handler, Receive } from './actors/actor-options.js';
export type { OverflowPolicy } from './actors/mailbox-options.js';
export type { SupervisionDirective, SupervisionOptions, SupervisionStrategy } from './actors/supervision-options.js';
export type { Clock, Timer } from './core/clock.js';
export type { DeadLetter, DeadLetterError, DeadLetterReason } from './core/dead-letter.js';
export type { Duration } from './core/duration.js';
export type { JournalBackup } from './journal/backup-journal.js';
export type { FactCounts } from './core/facts.js';
export type { RuntimeFact, RuntimeFactKind } from './core/runtime-fact.js';
export type { LogFields, Logger } from './core/logger.js';
export type { EventToApply, RecordedEvent } from './core/recorded-event.js';
export { isTroupeError, TroupeError, type TroupeErrorCode } from './core/troupe-error.js';
export {
  type KeyOf,
  type ProjectionDefinition,
  projection,
  type RowOf,
  type RuntimeProjection,
  type SqlStatement,
} from './projections/projection-definition.js';
export type { BuildProgress } from './projections/build-progress.js';
export type { Query, View } from './projections/view.js';
export type { LiveValues } from './streams/live-values.js';
export {
  type EventSourceHandler,
  serveEvents,
  type ServeEventsOptions,
  serveValues,
} from './streams/server-sent-events.js';
export type { ReactionContext } from './reactions/reaction-context.js';
export { type ReactionDefinition, reaction, type RuntimeReaction } from './reactions/reaction-definition.js';
export {
  type InputOf,
  type ResultOf,
  type RuntimeSaga,
  type SagaDefinition,
  type SagaKeep,
  saga,
} from './sagas/saga-definition.js';
export type {
  SagaAskOptions,
  SagaContext,
  SagaMessageOptions,
  SagaRetry,
  StepCall,
  StepOptions,
  WaitOptions,
} from './sagas/saga-context.js';
export type { SagaAskLimits, SagaConcurrency, SagaRate } from './sagas/saga-flow.js';
export type { SagaRef, SagaStartOptions, SagaStatus } from './sagas/saga-ref.js';
export {
  defineScenario,
  type ScenarioDefinition,
  type ScenarioOptionSpec,
  type ScenarioOptionSpecs,
  type ScenarioOptions,
  type ScenarioOptionValues,
} from './scenario/define-scenario.js';
export { ScenarioInputError } from './scenario/scenario-input-error.js';
export type { ScenarioBar, ScenarioContext, ScenarioProgress } from './scenario/scenario-context.js';
export { ActorSystem, type HistoryOptions, type ReadAllOptions, type StateMoment } from './system/actor-system.js';
export {
  auditJournal,
  type JournalAudit,
  type JournalAuditOptions,
  type UnreadableEvent,
} from './system/journal-audit.js';
export type { AnyDefinition } from './system/cast.js';
export type { ReminderTiming, Repetition } from './timers/reminder-timing.js';
export type { PendingReminder } from './timers/reminders.js';
export type { DeadLetters } from './system/dead-letters.js';
export type { ReactionHandle, ReplayOptions } from './system/reaction-handle.js';
export type { UnknownEvents } from './streams/log-reader.js';
export type { Health, Problem, SystemMetrics } from './system/system-metrics.js';
export type { SystemFact } from './system/fact-hub.js';
export type { StopPhase, StopReport } from './system/stop-report.js';
export type { StopSignal } from './system/stop-signals.js';
export type { JournalOptions, LimitOptions, SystemOptions } from './system/system-options.js';
