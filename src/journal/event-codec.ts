/**
 * How an event is written down: one JSON array with fixed places.
 *
 * Aggregates encode where they decide (on any thread); the writer only joins texts. Position and time of commit
 * are not inside: they belong to the page that the writer puts the event into. The SQL view `event_log` reads the
 * same places (`sqlite-schema.ts`). An event's id is stored only if it isn't the derived one (`core/ids.ts`).
 */
import { eventId } from '../core/ids.js';
import { deepFreeze } from '../core/json-value.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { Outcome, StoredOutcome } from './journal.js';

/** Places in the array. The order is the file format: append, never move. */
export const EVENT_FIELDS = [
  'aggregate',
  'aggregateId',
  'version',
  'type',
  'schemaVersion',
  'data',
  'commandId',
  'correlationId',
  'causationId',
  'metadata',
  'id',
  'outcome',
] as const;

/** One event as it stands in a page; the last event of a command carries the outcome `[fingerprint, reply?]`. */
export type EncodedEvent = readonly [
  aggregate: string,
  aggregateId: string,
  version: number,
  type: string,
  schemaVersion: number,
  data: unknown,
  commandId: string,
  correlationId: string,
  causationId: string | null,
  metadata: Readonly<Record<string, unknown>> | null,
  id: string | null,
  outcome: readonly [fingerprint: number, reply?: unknown] | null,
];

/** What the events of one command share, encoded once for all of them. */
export interface CommandText {
  /** `"aggregate","id",` */
  readonly head: string;
  /** `,"commandId","correlationId","causationId",metadata,` */
  readonly tail: string;
}

/** Encodes what stands before and behind the part that differs from event to event. */
export function encodeCommand(
  aggregate: string,
  aggregateId: string,
  commandId: string,
  correlationId: string,
  causationId: string | null,
  metadata: Readonly<Record<string, unknown>> | undefined,
): CommandText {
  const command = quoted(commandId);
  const correlation = correlationId === commandId ? command : quoted(correlationId);
  const causation = causationId === null ? 'null' : quoted(causationId);
  const meta = metadata === undefined ? 'null' : JSON.stringify(metadata);
  return {
    head: `"${aggregate}",${quoted(aggregateId)}`,
    tail: `${command},${correlation},${causation},${meta}`,
  };
}

/** What differs between the events of one command. */
export interface EventText {
  readonly type: string;
  readonly definition: { readonly version: number };
  /** JSON text of its data. */
  readonly dataText: string;
  /** Its id, if it isn't the derived one. */
  readonly id: string | undefined;
}

/** One event of a command as JSON array. */
export function encodeEvent(command: CommandText, version: number, event: EventText, outcomeText: string): string {
  const id = event.id === undefined ? 'null' : quoted(event.id);
  return (
    `[${command.head},${version},${quoted(event.type)},${event.definition.version},${event.dataText},` +
    `${command.tail},${id},${outcomeText}]`
  );
}

/** Most ids and types need no escape: a test of the text is cheaper than `JSON.stringify`. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** The outcome of a command with events as JSON text; `replyText` is undefined for a command without reply. */
export function encodeOutcome(fingerprint: number, replyText: string | undefined): string {
  return replyText === undefined ? `[${fingerprint}]` : `[${fingerprint},${replyText}]`;
}

const NO_METADATA: Readonly<Record<string, unknown>> = Object.freeze({});

/** The event as readers see it, frozen with all that it holds: one reader can't change what another one sees. */
export function decodeEvent(encoded: EncodedEvent, position: number, recordedAt: number): RecordedEvent {
  deepFreeze(encoded[5]);
  deepFreeze(encoded[9]);
  return Object.freeze(decodeForReplay(encoded, position, recordedAt));
}

/** The event as an aggregate folds it: not frozen, because it belongs to that fold alone. */
export function decodeForReplay(encoded: EncodedEvent, position: number, recordedAt: number): RecordedEvent {
  const [aggregate, aggregateId, version, type, schemaVersion, data, commandId, correlationId] = encoded;
  return {
    position,
    aggregate,
    aggregateId,
    version,
    type,
    schemaVersion,
    data,
    id: encoded[10] ?? eventId(aggregate, aggregateId, version),
    commandId,
    correlationId,
    causationId: encoded[8],
    metadata: encoded[9] ?? NO_METADATA,
    recordedAt,
  };
}

/** The outcome that the last event of a command carries. */
export function decodeOutcome(encoded: EncodedEvent, position: number): StoredOutcome | undefined {
  const stored = encoded[11];
  if (stored === null || stored === undefined) return undefined;
  const outcome: Outcome = { kind: 'reply', reply: stored[1], version: encoded[2], position };
  return { fingerprint: stored[0], outcome };
}
