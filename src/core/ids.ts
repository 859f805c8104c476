/**
 * Ids: random once per system, counted from there, or derived from their cause.
 *
 * nanoid makes the prefix of a system; what follows is a counter, at a tenth of the price. Derived ids are the
 * ground of effectively-once: a redelivered event yields the same command ids, and the first outcome answers.
 * Names of definitions never contain `/`, `@` or `>`; ids and types may, so they are escaped where they aren't last.
 */
import { nanoid } from 'nanoid';

/** Makes ids that are unique in the world: a random prefix and a counter. */
export type IdSource = () => string;

/** A source of ids with a random prefix of 12 characters (71 bits). */
export function randomIds(prefix: string = nanoid(12)): IdSource {
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}

/** The id of an event by its place, and of one that came without any: unique within the journal, for a version exists once. */
export function eventId(aggregate: string, aggregateId: string, version: number): string {
  return `${aggregate}/${aggregateId}@${version}`;
}

/** What a command of a reaction is derived from. */
export interface CommandCause {
  /** By place (`eventId`), never one that was given: those need not be unique. */
  readonly eventId: string;
  readonly reaction: string;
  readonly target: string;
  readonly targetId: string;
  readonly type: string;
  /** How many commands of this type to this target the handler has sent before. */
  readonly nth: number;
}

/** The id of a command that a reaction sends: the same for each delivery of the event, and for no other cause. */
export function derivedCommandId(cause: CommandCause): string {
  return `${cause.reaction}>${cause.target}/${escapeId(cause.targetId)}>${escapeId(cause.type)}#${cause.nth}<${cause.eventId}`;
}

const RESERVED = /[/@><#%]/;

/** An id or type as a part that others follow. */
export function escapeId(id: string): string {
  return RESERVED.test(id) ? id.replace(/[/@><#%]/g, (c) => `%${c.charCodeAt(0).toString(16)}`) : id;
}

/** What an id within a saga is derived from. */
export interface StepCause {
  readonly saga: string;
  readonly id: string;
  /** How many histories this instance has had before. */
  readonly generation: number;
  /** Number of the compensation that it belongs to, if it does. */
  readonly of: number | undefined;
  /** Number of the step, or what is counted besides. */
  readonly step: number | string;
}

/** The id of a step of a saga, and of the command that it sends: the same in each replay, and for no other cause. */
export function derivedStepId({ saga, id, generation, of, step }: StepCause): string {
  const history = generation === 0 ? '' : `${generation}:`;
  return `${saga}/${escapeId(id)}#${history}${of === undefined ? '' : `c${of}.`}${step}`;
}
