/**
 * Reads a whole journal with today's definitions and finds each event that they could not read: the regression test
 * before a deploy.
 *
 * An event must have a known type, upcasters up to today's version, pass its schema, and be applied without a
 * throw. Beside any writer, without the lock, changing nothing. Memory is bounded: states are kept for the instances
 * used last, and folded again when an older one comes back.
 */
import type { RuntimeAggregate } from '../actors/aggregate-definition.js';
import { eventFault } from '../actors/event-fault.js';
import { isSkipped, replay, upcast } from '../actors/replay.js';
import { LIMITS } from '../core/limits.js';
import { OptionReader } from '../core/option-reader.js';
import { type RecordedEvent, withOwnData } from '../core/recorded-event.js';
import { showValue } from '../core/show-value.js';
import { isTroupeError, TroupeError, type TroupeErrorCode } from '../core/troupe-error.js';
import type { EventQuery, EventPage } from '../journal/journal.js';
import { openJournalReader } from '../journal/open-journal.js';
import { loadCast } from './cast.js';

/** An event that the definitions of today can't read or apply. */
export interface UnreadableEvent {
  readonly position: number;
  readonly aggregate: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly type: string;
  /** Version of the event's shape, as it is stored. */
  readonly schemaVersion: number;
  /** `TROUPE_UPCAST_MISSING`, `TROUPE_INVALID_EVENT`, or `TROUPE_ACTOR_FAILED` for what an upcaster or `apply` threw. */
  readonly code: TroupeErrorCode;
  readonly message: string;
}

/** What an audit has found. */
export interface JournalAudit {
  /** Whether no event is unreadable. */
  readonly ok: boolean;
  /** Position of the last event that was read. */
  readonly position: number;
  /** Events read. */
  readonly events: number;
  /** How many events are unreadable; `failures` holds the first of them. */
  readonly failed: number;
  readonly failures: readonly UnreadableEvent[];
  /** Events behind an unreadable one of the same instance: readable by themselves, but there is no state to apply them to. */
  readonly unapplied: number;
  /** Events of unknown types that their aggregate skips (`unknownEvents: 'skip'`), by `aggregate: type`. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Events of aggregates that the cast doesn't have, by aggregate. Nobody reads them, so none fails. */
  readonly foreign: Readonly<Record<string, number>>;
}

export interface JournalAuditOptions {
  /** As for `ActorSystem.start`: the module of today's definitions, or the definitions. */
  readonly cast: URL | string | readonly unknown[];
  /** How many unreadable events `failures` holds at most. Default 1,000. */
  readonly limit?: number;
  /** Told of each unreadable event as it is found, also beyond `limit`. */
  readonly found?: (failure: UnreadableEvent) => void;
  /** Told now and then how far it has come. */
  readonly progress?: (position: number, head: number) => void;
}

/**
 * Reads a whole journal with the definitions of a cast and reports every event that would fail. Takes no lock and
 * changes nothing; a system may run on the journal meanwhile.
 *
 * @throws TROUPE_INVALID_OPTIONS when path or cast can't be used; TROUPE_JOURNAL_CORRUPT when the file is no journal, or
 * a page of it is damaged.
 * @example
 * const audit = await auditJournal('shop.db', { cast: [order] });
 * if (!audit.ok) for (const { position, message } of audit.failures) console.error(position, message);
 */
export async function auditJournal(path: string, options: JournalAuditOptions): Promise<JournalAudit> {
  if (typeof path !== 'string' || path === '') {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `auditJournal: the path is ${showValue(path)}; give that of a journal`,
    );
  }
  const given = new OptionReader('auditJournal', options, ['cast', 'limit', 'found', 'progress']);
  given.integer('limit', { min: 0, infinite: true }, 0);
  const { aggregates } = await loadCast(options.cast);
  const journal = await openJournalReader(path);
  try {
    return await new Audit(journal, aggregates, options).run();
  } finally {
    await journal.close();
  }
}

/** A journal as an audit reads it. */
export interface AuditedJournal {
  head(): Promise<number>;
  read(query: EventQuery): Promise<EventPage>;
}

/** One audit of one journal, up to the head that it has at the start. */
export class Audit {
  readonly #journal: AuditedJournal;
  readonly #aggregates: ReadonlyMap<string, RuntimeAggregate>;
  readonly #options: Omit<JournalAuditOptions, 'cast'>;
  readonly #statesKept: number;
  readonly #states = new Map<string, unknown>();
  /** Instances with an unreadable event; there is no state to apply their later ones to. */
  readonly #broken = new Set<string>();
  readonly #failures: UnreadableEvent[] = [];
  readonly #skipped: Record<string, number> = {};
  readonly #foreign: Record<string, number> = {};
  #failed = 0;
  #unapplied = 0;
  #events = 0;

  constructor(
    journal: AuditedJournal,
    aggregates: Iterable<RuntimeAggregate>,
    options: Omit<JournalAuditOptions, 'cast'> = {},
    statesKept = STATES_KEPT,
  ) {
    this.#statesKept = statesKept;
    this.#journal = journal;
    this.#aggregates = new Map(Array.from(aggregates, (one) => [one.name, one]));
    this.#options = options;
  }

  async run(): Promise<JournalAudit> {
    const head = await this.#journal.head();
    let position = 0;
    while (position < head) {
      const page = await this.#journal.read({ after: position, limit: LIMITS.readPage });
      for (const event of page.events) if (event.position <= head) await this.#check(event);
      if (page.searchedTo <= position) break;
      position = Math.min(page.searchedTo, head);
      this.#options.progress?.(position, head);
    }
    return {
      ok: this.#failed === 0,
      position,
      events: this.#events,
      failed: this.#failed,
      failures: this.#failures,
      unapplied: this.#unapplied,
      skipped: this.#skipped,
      foreign: this.#foreign,
    };
  }

  async #check(event: RecordedEvent): Promise<void> {
    this.#events += 1;
    const aggregate = this.#aggregates.get(event.aggregate);
    if (aggregate === undefined) return count(this.#foreign, event.aggregate);
    if (isSkipped(aggregate, event)) return count(this.#skipped, `${event.aggregate}: ${event.type}`);
    const key = `${event.aggregate}/${event.aggregateId}`;
    try {
      if (this.#broken.has(key)) {
        upcast(aggregate, withOwnData(event));
        this.#unapplied += 1;
      } else {
        this.#keep(key, replay(aggregate, await this.#stateBefore(aggregate, key, event), withOwnData(event)));
      }
    } catch (error) {
      if (isTroupeError(error) && error.code === 'TROUPE_JOURNAL_CORRUPT') throw error;
      this.#broken.add(key);
      this.#states.delete(key);
      this.#fail(event, error);
    }
  }

  #fail(event: RecordedEvent, error: unknown): void {
    const { position, aggregate, aggregateId, version, type, schemaVersion } = event;
    const failure: UnreadableEvent = {
      position,
      aggregate,
      aggregateId,
      version,
      type,
      schemaVersion,
      ...eventFault(error, event),
    };
    this.#failed += 1;
    if (this.#failures.length < (this.#options.limit ?? FAILURES_KEPT)) this.#failures.push(failure);
    this.#options.found?.(failure);
  }

  /** Used last stands last; the one not used for longest gives way. */
  #keep(key: string, state: unknown): void {
    this.#states.delete(key);
    this.#states.set(key, state);
    if (this.#states.size <= this.#statesKept) return;
    for (const oldest of this.#states.keys()) {
      this.#states.delete(oldest);
      return;
    }
  }

  /** The state right before an event; folded again from the journal when it had to give way to others. */
  async #stateBefore(aggregate: RuntimeAggregate, key: string, until: RecordedEvent): Promise<unknown> {
    if (this.#states.has(key)) return this.#states.get(key);
    const { aggregate: name, aggregateId: id } = until;
    let state = aggregate.options.initialState(id);
    // The first event of an instance needs no look into the journal.
    for (let after = 0; until.version > 1 && after < until.position - 1; ) {
      const page = await this.#journal.read({ after, limit: LIMITS.readPage, aggregate: name, id });
      for (const event of page.events) {
        if (event.position >= until.position) return state;
        state = replay(aggregate, state, withOwnData(event));
      }
      if (page.searchedTo <= after) break;
      after = page.searchedTo;
    }
    return state;
  }
}

/** States kept of instances: 10,000 of 1 KB are 10 MB. */
const STATES_KEPT = 10_000;

const FAILURES_KEPT = 1_000;

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
