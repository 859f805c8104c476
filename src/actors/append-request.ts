/** `system.append` on its way through the aggregate's mailbox: events as they are, with an expected version. */

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

/** Recognised by its class: no command of a user can look like it. */
export class AppendRequest {
  readonly events: readonly EventToAppend[];
  readonly expectedVersion: ExpectedVersion;

  constructor(events: readonly EventToAppend[], expectedVersion: ExpectedVersion) {
    this.events = events;
    this.expectedVersion = expectedVersion;
  }
}

/** Type under which the request travels; shown in errors and dead letters. */
export const APPEND = '(append)';
