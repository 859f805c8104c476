/**
 * An event as it stands in the journal, and as `apply` sees it.
 *
 * `apply` runs before the commit, when position and time of commit are not known yet. They are no part of what it
 * gets, so that the state folded live and the state folded in recovery can't differ.
 */

/**
 * A committed event; frozen, JSON throughout.
 *
 * @typeParam Type the event's type, such as `'order.created'`.
 * @typeParam Data the event's data in its newest schema version.
 */
export interface RecordedEvent<Type extends string = string, Data = unknown> {
  /** Place in the whole journal: global, gapless from 1, given in the commit. */
  readonly position: number;
  /** Name of the aggregate's definition. */
  readonly aggregate: string;
  readonly aggregateId: string;
  /** Place among the events of this aggregate: gapless from 1. */
  readonly version: number;
  readonly type: Type;
  /** The version of the event's shape, after upcasting. */
  readonly schemaVersion: number;
  readonly data: Data;
  /** Unique in the journal. */
  readonly id: string;
  /** The command that emitted the event. */
  readonly commandId: string;
  /** Inherited along the chain of commands and events; at its start the command's id. */
  readonly correlationId: string;
  /** Id of the event whose reaction or saga sent the command; null when it came from outside. */
  readonly causationId: string | null;
  /** What the sender gave as `options.metadata`, inherited along the chain; empty when nothing was given. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Epoch milliseconds at commit; never decreases with position, also when the clock jumps back. */
  readonly recordedAt: number;
}

/** An event as `apply` gets it: a recorded event without what only the commit gives. */
export interface EventToApply<Type extends string = string, Data = unknown>
  extends Omit<RecordedEvent<Type, Data>, 'position' | 'recordedAt'> {}

/** The event with data of its own: what readers hand out is frozen and others have it too, while a fold owns what it gets. */
export function withOwnData(event: RecordedEvent): RecordedEvent {
  return { ...event, data: structuredClone(event.data) };
}
