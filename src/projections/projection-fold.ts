/**
 * The fold: events onto rows, in memory, one batch at a time. What it yields is written as a whole.
 *
 * Hot path. Rows that a batch needs are looked up first, the missing ones in one query; then every handler runs
 * on rows in memory. An event is folded wholly or not at all; at the first one that can't be, the batch ends, and
 * what stands before it is still good.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { SqliteValue } from '../journal/sqlite-connection.js';
import { TroupeError } from '../core/troupe-error.js';
import { showValue } from '../core/show-value.js';
import { LIMITS } from '../core/limits.js';
import type { ProjectionPlan } from './projection-plan.js';
import { RowCache } from './row-cache.js';
import type { Row, RowKey } from './row-shape.js';
import type { BoundStatement } from './view-table.js';
import { firstWord, isOneStatement } from './sqlite-statement.js';
import { type Concern, unknownEvent } from './unknown-events.js';

/** An event that can't be folded, and why. */
export interface FoldFault {
  readonly event: RecordedEvent;
  readonly error: unknown;
}

/** What a batch of events comes to. */
export interface FoldedBatch {
  readonly rows: ReadonlyMap<RowKey, Row | null>;
  readonly statements: readonly BoundStatement[];
  /** How many of the events are in it; those behind belong to the next batch. */
  readonly taken: number;
  /** How many of those are of types that nobody knows, and passed over. */
  readonly skipped: number;
  /** The event behind those taken, if it is the reason why there are no more. */
  readonly fault: FoldFault | undefined;
}

export interface FoldSurroundings {
  readonly plan: ProjectionPlan;
  /** Whether the table has no rows yet. */
  readonly empty: boolean;
  readonly concern: Concern;
  /** Events in today's shape. */
  readonly present: (event: RecordedEvent) => RecordedEvent;
  /** The rows that exist, of keys that the cache doesn't know. */
  readonly fetch: (keys: readonly RowKey[]) => Promise<Row[]>;
  /** Whether others should have their turn; asked every few events. */
  readonly turnOver: () => boolean;
  /** The next turn. */
  readonly turn: () => Promise<void>;
  readonly mark?: FoldMark | undefined;
}

/** Notes which event is in the hands of the user's code. */
export interface FoldMark {
  enter(position: number): void;
  leave(): void;
}

/** Events between two looks at the clock. */
const LOOK_EVERY = 32;

/** Statements in one batch: each is a trip to the driver, and other projections wait for the transaction. */
const MOST_STATEMENTS = 200;

/** Characters of the rows kept in memory; by the average of the last batch. 16 M characters are 16 to 32 MB. */
const CACHED_CHARACTERS = 16_000_000;
/** Rows kept however large they are. */
const CACHED_AT_LEAST = 16;

const NO_KEYS: readonly RowKey[] = [];

/** An event with the keys of its rows. */
interface KeyedEvent {
  readonly event: RecordedEvent;
  readonly keys: readonly RowKey[];
  /** Whether it is of a type that nobody knows. */
  readonly unknown: boolean;
}

export class ProjectionFold {
  readonly #around: FoldSurroundings;
  readonly #plan: ProjectionPlan;
  readonly #cache: RowCache;
  /** Rows kept, and rows of one batch, at most. */
  #capacity: number = LIMITS.projectionRowsCached;
  /** The rows of the batch under way: as they are now, null when there is none. */
  #rows = new Map<RowKey, Row | null>();

  constructor(around: FoldSurroundings) {
    this.#around = around;
    this.#plan = around.plan;
    this.#cache = new RowCache(LIMITS.projectionRowsCached, around.empty);
  }

  /** Forgets the rows in memory, because what was folded onto them was not written. */
  forget(): void {
    this.#cache.clear();
  }

  /** So many rows had so many characters: when rows are large, fewer of them are kept, and make a batch. */
  weigh(rows: number, characters: number): void {
    if (rows === 0) return;
    const capacity = Math.floor((CACHED_CHARACTERS * rows) / characters);
    this.#capacity = Math.min(LIMITS.projectionRowsCached, Math.max(CACHED_AT_LEAST, capacity));
    this.#cache.resize(this.#capacity);
  }

  /** Folds as many of the events as make one batch. */
  async fold(events: readonly RecordedEvent[]): Promise<FoldedBatch> {
    this.#rows = new Map();
    const { keyed, fault } = await this.#keyed(events);
    const changed = new Map<RowKey, Row | null>();
    const statements: BoundStatement[] = [];
    let taken = 0;
    let skipped = 0;
    let found = fault;
    const { mark } = this.#around;
    for (const one of keyed) {
      // Rows come before statements within a batch; a row that follows a statement might rest on it.
      if (statements.length >= MOST_STATEMENTS || (one.keys.length > 0 && statements.length > 0)) {
        found = undefined;
        break;
      }
      mark?.enter(one.event.position);
      try {
        const bound = this.#statementsOf(one.event);
        this.#foldOne(one, changed);
        if (bound !== undefined) statements.push(...bound);
      } catch (error) {
        found = { event: one.event, error };
        break;
      } finally {
        mark?.leave();
      }
      taken += 1;
      if (one.unknown) skipped += 1;
      if (taken % LOOK_EVERY === 0 && this.#around.turnOver()) await this.#around.turn();
    }
    // Statements may have changed any row.
    if (statements.length > 0) this.#cache.clear();
    else for (const [key, row] of this.#rows) this.#cache.set(key, row);
    return { rows: changed, statements, taken, skipped, fault: found };
  }

  /** The events with their keys, up to the first whose keys can't be had; the rows of all of them are in memory then. */
  async #keyed(events: readonly RecordedEvent[]): Promise<{ keyed: KeyedEvent[]; fault: FoldFault | undefined }> {
    const keyed: KeyedEvent[] = [];
    const missing: RowKey[] = [];
    let fault: FoldFault | undefined;
    const { mark } = this.#around;
    for (const recorded of events) {
      mark?.enter(recorded.position);
      try {
        const unknown = this.#around.concern.isUnknown(recorded);
        if (unknown && this.#plan.unknownEvents === 'fail') throw unknownEvent(recorded);
        const event = this.#around.present(recorded);
        const keys = this.#plan.on.has(event.type) && this.#plan.means(event) ? this.#keysOf(event) : NO_KEYS;
        for (const key of keys) {
          if (this.#rows.has(key)) continue;
          const row = this.#cache.get(key);
          this.#rows.set(key, row ?? null);
          if (row === undefined) missing.push(key);
        }
        keyed.push({ event, keys, unknown });
      } catch (error) {
        fault = { event: recorded, error };
        break;
      } finally {
        mark?.leave();
      }
      // An event may have very many keys; the rest of the batch waits for the next one then.
      if (this.#rows.size >= this.#capacity) break;
      if (keyed.length % LOOK_EVERY === 0 && this.#around.turnOver()) await this.#around.turn();
    }
    if (missing.length > 0) {
      for (const row of await this.#around.fetch(missing)) {
        // A stored row has a key, and the key column holds nothing else.
        this.#rows.set(row[this.#plan.shape.key.name] as RowKey, row);
      }
    }
    return { keyed, fault };
  }

  #keysOf(event: RecordedEvent): readonly RowKey[] {
    const given = this.#plan.key?.(event);
    if (given === undefined || given === null) return NO_KEYS;
    const { shape } = this.#plan;
    if (!Array.isArray(given)) return [shape.acceptKey(given)];
    if (given.length === 1) return [shape.acceptKey(given[0])];
    return [...new Set(given.map((key) => shape.acceptKey(key)))];
  }

  /** All rows of an event change, or none does. */
  #foldOne({ event, keys }: KeyedEvent, changed: Map<RowKey, Row | null>): void {
    const [key] = keys;
    if (key === undefined) return;
    if (keys.length === 1) {
      const row = this.#rowAfter(event, key);
      if (row !== undefined) this.#set(key, row, changed);
      return;
    }
    const rows = keys.map((key) => this.#rowAfter(event, key));
    keys.forEach((key, i) => {
      const row = rows[i];
      if (row !== undefined) this.#set(key, row, changed);
    });
  }

  #set(key: RowKey, row: Row | null, changed: Map<RowKey, Row | null>): void {
    this.#rows.set(key, row);
    changed.set(key, row);
  }

  /** The row after the event, null when there is none then, undefined when nothing changes. */
  #rowAfter(event: RecordedEvent, key: RowKey): Row | null | undefined {
    const before = this.#rows.get(key) ?? undefined;
    const after = this.#plan.on.get(event.type)?.(before, event, key);
    if (after === undefined || after === before) return undefined;
    if (after === null) return before === undefined ? undefined : null;
    return this.#plan.shape.accept(after, key);
  }

  #statementsOf(event: RecordedEvent): BoundStatement[] | undefined {
    const handler = this.#plan.sql.get(event.type);
    if (handler === undefined || !this.#plan.means(event)) return undefined;
    const given = handler(event);
    if (given === undefined || given === null) return undefined;
    if (!Array.isArray(given))
      throw statementRefusal(`"sql" returned ${showValue(given)}; return an array of [statement, ...params]`);
    return given.map((statement: unknown) => bind(statement, event.position));
  }
}

const WRITING: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'WITH']);

function bind(statement: unknown, position: number): BoundStatement {
  // Array.isArray makes `any` of the items; they are checked one by one.
  const [text, ...params] = (Array.isArray(statement) ? statement : []) as unknown[];
  if (typeof text !== 'string') {
    throw statementRefusal(`"sql" returned ${showValue(statement)} as a statement; give ['insert into …', ...params]`);
  }
  if (!WRITING.has(firstWord(text))) {
    throw statementRefusal(
      `the statement ${showValue(text)} is none that writes rows; begin with insert, update, delete, replace or with`,
    );
  }
  if (!isOneStatement(text))
    throw statementRefusal(`${showValue(text)} is more than one statement; give each in an array of its own`);
  params.forEach((param, i) => {
    const fits = typeof param === 'string' || param === null || (typeof param === 'number' && Number.isFinite(param));
    if (!fits) {
      throw statementRefusal(
        `parameter ${i + 1} of the statement ${showValue(text)} is ${showValue(param)}; give a string, a finite number or null`,
      );
    }
  });
  // Each of them has just been checked.
  return { text, params: params as SqliteValue[], position };
}

function statementRefusal(what: string): TroupeError {
  return new TroupeError('TROUPE_INVALID_OPTIONS', what);
}
