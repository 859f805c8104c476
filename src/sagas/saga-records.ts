/**
 * What sagas keep in the journal: heads of those that live, heads of those that have ended, and histories in rows.
 *
 * A history belongs to a run, whose key begins with the time of the start, so that the rows of what runs at the
 * same time lie beside each other in the file. A row holds what one turn of the run has added. Tools read these
 * records too (`troupe sagas`).
 */
import type { RecordChange } from '../journal/journal.js';
import type { WireError } from '../core/wire-error.js';
import type { SagaEntry } from './saga-entries.js';

/** Kind of the heads of sagas that have not ended; their key is `name/id`. */
export const SAGA = 'saga';

/** Kind of the heads of sagas that have ended; their key is `name/id`. */
export const SAGA_ENDED = 'saga-ended';

/** Kind of the rows of histories; their key is `run/row`, their value an array of entries. */
export const SAGA_HISTORY = 'saga-history';

/** Kind of the records that find ended sagas whose histories are kept; see `pastRecord` for their key. */
export const SAGA_PAST = 'saga-past';

/** Kind of the records that find ended sagas whose histories are gone, and which are to be forgotten one day. */
export const SAGA_TRIMMED = 'saga-trimmed';

/** Kind of requests to cancel a saga, written while no system runs; their key is `name/id`. */
export const SAGA_CANCEL = 'saga-cancel';

/** What stands before `>` in the owner of a saga's timer; behind it stands the key. */
export const SAGA_TIMER = 'saga';

/** The owner of the timer that wakes a saga. */
export function timerOwner(key: string): string {
  return `${SAGA_TIMER}>${key}`;
}

/** The key of the saga that a timer wakes; undefined when it is somebody else's. */
export function sagaOfTimer(owner: string): string | undefined {
  return owner.startsWith(`${SAGA_TIMER}>`) ? owner.slice(SAGA_TIMER.length + 1) : undefined;
}

/** An event that a saga out of memory waits for. */
export interface IdleWait {
  /** Number of the step. */
  readonly step: number;
  readonly type: string;
  readonly aggregateId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** No event up to this position is the one. */
  readonly searchedTo: number;
}

/** Why a saga is not in memory, and what brings it back. */
export interface IdleFacts {
  readonly state: 'waiting' | 'sleeping' | 'parked';
  readonly since: number;
  readonly waitingFor?: string | undefined;
  /** Epoch milliseconds. */
  readonly due?: number | undefined;
  readonly waits?: readonly IdleWait[] | undefined;
  readonly error?: WireError | undefined;
}

/** The head of a saga that has not ended. */
export interface SagaHead {
  /** Key of the history. */
  readonly run: string;
  /** How many histories it has had before. */
  readonly generation: number;
  /** Epoch milliseconds of the start. */
  readonly startedAt: number;
  /** Events behind this position come after the start. */
  readonly position: number;
  /** Whether the event at that position started it; else its input is the first entry of the history. */
  readonly byEvent: boolean;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Of a later history: by type of event, the position behind which waits look. */
  readonly after?: Readonly<Record<string, number>> | undefined;
  /** The key of `concurrency`, where there is one. */
  readonly lane?: string | undefined;
  readonly idle?: IdleFacts | undefined;
}

/** The head of a saga that has ended. */
export interface EndedHead {
  readonly run: string;
  readonly generation: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly state: 'done' | 'failed' | 'cancelled';
  readonly result?: unknown;
  readonly error?: WireError | undefined;
}

/** The key of the head of an instance. Names contain no `/`. */
export function sagaKey(name: string, id: string): string {
  return `${name}/${id}`;
}

export function headRecord(key: string, head: SagaHead): RecordChange {
  return { kind: SAGA, key, value: head };
}

/** @param rows of its history, if that is to go one day */
export function endRecords(key: string, end: EndedHead, rows: number | undefined): RecordChange[] {
  return [
    { kind: SAGA, key, value: undefined },
    { kind: SAGA_ENDED, key, value: end },
    ...(rows === undefined ? [] : [pastRecord(key, end, rows)]),
  ];
}

/** Digits of a time in a key: base 36, until the year 5188. */
const TIME_DIGITS = 9;

/** An ended saga: its key begins with its name and the time of its end, so that the oldest come first. */
function pastRecord(key: string, { run, endedAt }: EndedHead, rows: number): RecordChange {
  return { kind: SAGA_PAST, key: `${nameIn(key)}/${timeInKey(endedAt)}/${idIn(key)}`, value: { run, rows } };
}

/** An ended saga, found by its time. */
export interface PastSaga {
  readonly key: string;
  readonly pastKey: string;
  readonly run: string;
  readonly rows: number;
}

export function pastOf(pastKey: string, value: unknown): PastSaga {
  const rest = idIn(pastKey);
  // Written by `pastRecord`, or without facts when the history is gone.
  const { run = '', rows = 0 } = value as { readonly run?: string; readonly rows?: number };
  return { key: sagaKey(nameIn(pastKey), rest.slice(rest.indexOf('/') + 1)), pastKey, run, rows };
}

/** The range of the keys of sagas of a definition that had ended by then. */
export function pastUntil(name: string, at: number): { readonly after: string; readonly before: string } {
  return { after: `${name}/`, before: `${name}/${timeInKey(at + 1)}` };
}

function timeInKey(at: number): string {
  return Math.max(0, Math.floor(at)).toString(36).padStart(TIME_DIGITS, '0');
}

/** Digits of a row's number. */
const ROW_DIGITS = 8;

export function rowKey(run: string, row: number): string {
  return `${run}/${String(row).padStart(ROW_DIGITS, '0')}`;
}

export function rowRecord(run: string, row: number, entries: readonly SagaEntry[]): RecordChange {
  return { kind: SAGA_HISTORY, key: rowKey(run, row), value: entries };
}

/** The rows of one history: keys between these two. */
export function rowsOf(run: string): { readonly after: string; readonly before: string } {
  return { after: `${run}/`, before: `${run}0` };
}

/** The entries in the rows of a history. */
export function entriesIn(rows: readonly { readonly value: unknown }[]): SagaEntry[] {
  // Only `rowRecord` writes records of this kind.
  return rows.flatMap(({ value }) => value as SagaEntry[]);
}

/** The name of the definition in the key of an instance. */
export function nameIn(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** The id in the key of an instance. */
export function idIn(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
