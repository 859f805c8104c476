/**
 * `troupe/operators`: RxJS operators for streams of events, `system.events` and `system.history()` above all.
 *
 * They work live and in memory: what must survive a crash is a reaction, a saga or a projection. Each one keeps only a
 * bounded amount, says what happens at the bound, and treats a throw in a function of yours as an error of the
 * stream, as RxJS does; only `perAggregate` keeps the errors of one aggregate away from the others.
 */
export { deduplicate, type DeduplicateOptions } from './deduplicate.js';
export { type OfType, ofType } from './of-type.js';
export { type AggregateEvent, perAggregate, type PerAggregateOptions } from './per-aggregate.js';
export { resequence, type ResequenceOptions } from './resequence.js';
export { summarize, type SummarizeOptions } from './summarize.js';
