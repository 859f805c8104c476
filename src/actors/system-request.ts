/**
 * What the system itself asks of an aggregate, through its mailbox like every command: to append events as they
 * are, and to show its state. Recognised by class: no command of a user can look like it.
 */

import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import { checkJson } from '../core/json-value.js';
import { readMetadata } from '../core/metadata.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';

/** An event to append. */
export interface EventToAppend<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  /**
   * Id of the event, unique within its aggregate instance; for as long as the event lives, an append of the same ids
   * and data again changes nothing. Default: derived from its place.
   */
  readonly id?: string;
  /** JSON stored with the event. Default: empty. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Version that the aggregate must have: a number, `'none'` (it must not exist yet), or `'any'`. */
export type ExpectedVersion = number | 'none' | 'any';

export class AppendRequest {
  readonly events: readonly EventToAppend[];
  readonly expectedVersion: ExpectedVersion;
  /** Whether any of the events has an id, so that it may come a second time. */
  readonly hasIds: boolean;

  /** @throws TROUPE_INVALID_OPTIONS, TROUPE_NOT_SERIALIZABLE for events that could not be written as they are. */
  constructor(events: readonly EventToAppend[], expectedVersion: ExpectedVersion) {
    this.events = events.map(readEvent);
    this.expectedVersion = expectedVersion;
    const ids = this.events.flatMap(({ id }) => id ?? []);
    this.hasIds = ids.length > 0;
    if (new Set(ids).size < ids.length) throw sameIdTwice(ids);
  }
}

function sameIdTwice(ids: readonly string[]): TroupeError {
  const twice = ids.find((id, index) => ids.indexOf(id) < index);
  return new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `append: two of the events have the id ${String(twice)}; give each its own`,
  );
}

/** JavaScript may pass anything; whether the aggregate knows the type, and its schema the data, is seen later. */
function readEvent(given: EventToAppend, index: number): EventToAppend {
  const where = `append: events[${index}]`;
  const event: { readonly [Key in keyof EventToAppend]?: unknown } | null | undefined = given;
  if (typeof event !== 'object' || event === null || typeof event.type !== 'string') {
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `${where} is ${showValue(given)}; give { type, data }`);
  }
  const { type, data, id, metadata } = event;
  if (id !== undefined && !isGivenText(id)) {
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `${where}.id is ${showValue(id)}; ${GIVEN_TEXT}, or none`);
  }
  checkJson(data, `${where}.data`);
  return {
    type,
    data,
    ...(id === undefined ? {} : { id }),
    ...(metadata === undefined ? {} : { metadata: readMetadata(metadata, `${where}.metadata`) }),
  };
}

/** `system.state`: a copy of the state that the instance has now. */
export class StateRequest {
  readonly kind = 'state';
}

/** Types under which the requests travel; shown in errors and dead letters. */
export const APPEND = '(append)';
export const SHOW_STATE = '(state)';
