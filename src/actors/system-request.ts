/**
 * What the system itself asks of an aggregate, through its mailbox like every command: to append events as they
 * are, and to show its state. Recognised by class: no command of a user can look like it.
 */

/** An event to append. */
export interface EventToAppend<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  /** Unique id of the event; a repeat of an append with the same ids changes nothing. Default: derived. */
  readonly id?: string;
  /** JSON stored with the event. Default: empty. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Version that the aggregate must have: a number, `'none'` (it must not exist yet), or `'any'`. */
export type ExpectedVersion = number | 'none' | 'any';

export class AppendRequest {
  readonly events: readonly EventToAppend[];
  readonly expectedVersion: ExpectedVersion;

  constructor(events: readonly EventToAppend[], expectedVersion: ExpectedVersion) {
    this.events = events;
    this.expectedVersion = expectedVersion;
  }
}

/** `system.state`: a copy of the state that the instance has now. */
export class StateRequest {
  readonly kind = 'state';
}

/** Types under which the requests travel; shown in errors and dead letters. */
export const APPEND = '(append)';
export const SHOW_STATE = '(state)';
