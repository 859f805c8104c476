/**
 * A journal against today's code: can every event be read, does each state come out, are the snapshots what a fresh
 * fold makes? The regression test to run before a deploy.
 *
 * States are folded in passes over the whole log, some thousand aggregates at a time, so that memory stays bounded
 * however many there are.
 */
import { isDeepStrictEqual } from 'node:util';
import type { RuntimeAggregate } from '../actors/aggregate-definition.js';
import { eventFault } from '../actors/event-fault.js';
import { isSkipped, replay, upcast } from '../actors/replay.js';
import { LIMITS } from '../core/limits.js';
import { type RecordedEvent, withOwnData } from '../core/recorded-event.js';
import type { JournalReader } from '../journal/open-journal.js';
import type { JournalSurvey } from '../journal/verify-journal.js';
import type { Finding } from './verify-findings.js';

/** Aggregates whose states are folded in one pass. */
const AT_A_TIME = 20_000;

/** Events that today's code does not know, by aggregate: nothing fails, but nothing reads them either. */
export type UnknownEvents = ReadonlyMap<string, number>;

export class CodeCheck {
  /** Events of aggregates that are not in the cast, by aggregate. */
  readonly strangers = new Map<string, number>();
  readonly #definitions: ReadonlyMap<string, RuntimeAggregate>;
  readonly #found: (finding: Finding) => void;
  /** Aggregates that can't be folded because one of their events can't be read. */
  readonly #unreadable = new Set<string>();

  constructor(aggregates: readonly RuntimeAggregate[], found: (finding: Finding) => void) {
    this.#definitions = new Map(aggregates.map((definition) => [definition.name, definition]));
    this.#found = found;
  }

  /** Reads events as recovery would: upcast, and checked against their schema. */
  readable(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      const definition = this.#definitions.get(event.aggregate);
      if (definition === undefined) {
        this.strangers.set(event.aggregate, (this.strangers.get(event.aggregate) ?? 0) + 1);
        continue;
      }
      try {
        if (!isSkipped(definition, event)) upcast(definition, event);
      } catch (error) {
        this.#unreadable.add(keyOf(event));
        this.#found({ check: 'readable by this code', ...factsOf(event), ...eventFault(error, event) });
      }
    }
  }

  /** Folds every aggregate, and compares its snapshots with the states on the way. */
  async fold(
    reader: JournalReader,
    survey: JournalSurvey,
  ): Promise<{ readonly states: number; readonly snapshots: number }> {
    const wanted = survey.aggregates.filter(
      ({ aggregate, id }) => this.#definitions.has(aggregate) && !this.#unreadable.has(`${aggregate}/${id}`),
    );
    const counts = { states: 0, snapshots: 0 };
    for (let from = 0; from < wanted.length; from += AT_A_TIME) {
      const some = new Set(wanted.slice(from, from + AT_A_TIME).map(({ aggregate, id }) => `${aggregate}/${id}`));
      counts.states += some.size;
      counts.snapshots += await this.#foldSome(reader, some, survey.head);
    }
    return counts;
  }

  async #foldSome(reader: JournalReader, keys: ReadonlySet<string>, head: number): Promise<number> {
    const snapshots = new Map(
      (await reader.snapshots()).map((one) => [`${one.aggregate}/${one.id}@${one.version}`, one]),
    );
    const states = new Map<string, unknown>();
    const failed = new Set<string>();
    let compared = 0;
    for (let position = 0; position < head; ) {
      const page = await reader.read({ after: position, limit: LIMITS.readPage });
      position = page.searchedTo;
      for (const event of page.events) {
        const key = keyOf(event);
        const definition = this.#definitions.get(event.aggregate);
        if (definition === undefined || !keys.has(key) || failed.has(key) || event.position > head) continue;
        try {
          const { initialState } = definition.options;
          const before = states.has(key) ? states.get(key) : initialState(event.aggregateId);
          const state = replay(definition, before, withOwnData(event));
          states.set(key, state);
          const snapshot = snapshots.get(`${key}@${event.version}`);
          if (snapshot === undefined || snapshot.schemaVersion !== definition.options.snapshot?.version) continue;
          const text = await reader.snapshotState(snapshot);
          if (text === undefined) continue;
          compared += 1;
          if (isDeepStrictEqual(JSON.parse(text), JSON.parse(JSON.stringify(state)))) continue;
          this.#found({
            check: 'snapshots of this code',
            ...factsOf(event),
            code: 'TROUPE_INVALID_EVENT',
            message:
              `${key}: the snapshot of version ${event.version} is not what this code makes of the events; ` +
              `raise snapshot.version of ${definition.name}, so that older snapshots are passed over`,
          });
        } catch (error) {
          failed.add(key);
          this.#found({ check: 'states of this code', ...factsOf(event), ...eventFault(error, event) });
        }
      }
    }
    return compared;
  }
}

function keyOf({ aggregate, aggregateId }: RecordedEvent): string {
  return `${aggregate}/${aggregateId}`;
}

function factsOf({ aggregate, aggregateId, version, position, type, schemaVersion }: RecordedEvent) {
  return { aggregate, id: aggregateId, version, position, type, schemaVersion };
}
