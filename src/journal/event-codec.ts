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

/** What stands in front of the version in every event of an aggregate; made once for each instance. */
export function encodeStream(aggregate: string, aggregateId: string): string {
  return `["${aggregate}",${quoted(aggregateId)},`;
}

/** What stands between the version and the data in every event of a type; made once for each definition. */
export function encodeEventType(type: string, schemaVersion: number): string {
  return `,${quoted(type)},${schemaVersion},`;
}

/** What stands behind the data in every event of a command, up to its own id. */
export function encodeCommand(
  commandId: string,
  correlationId: string,
  causationId: string | null,
  metadata: Readonly<Record<string, unknown>> | undefined,
): string {
  const command = quoted(commandId);
  const correlation = correlationId === commandId ? command : quoted(correlationId);
  if (causationId === null && metadata === undefined) return `,${command},${correlation},null,null,`;
  const causation = causationId === null ? 'null' : quoted(causationId);
  const meta = metadata === undefined ? 'null' : JSON.stringify(metadata);
  return `,${command},${correlation},${causation},${meta},`;
}

/** What differs between the events of one command. */
export interface EventText {
  /** `text`: by `encodeEventType`. */
  readonly definition: { readonly text: string };
  /** JSON text of its data. */
  readonly dataText: string;
  /** Its id, if it isn't the derived one. */
  readonly id: string | undefined;
}

/**
 * One event of a command as JSON array, of few parts: each one is an object until the page is put together.
 *
 * @param stream by `encodeStream`
 * @param command by `encodeCommand`
 */
export function encodeEvent(
  stream: string,
  command: string,
  version: number,
  event: EventText,
  outcomeText: string,
): string {
  const id = event.id === undefined ? 'null,' : `${quoted(event.id)},`;
  return stream + version + event.definition.text + event.dataText + command + id + outcomeText + ']';
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
