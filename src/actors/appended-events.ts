/**
 * Events that come to `append` a second time: recognised by the ids that their sender gave them.
 *
 * An append whose ids are all known changes nothing and gets the place of its last event; one that is known in part
 * is refused, and so is an id with other content. First level: the hashes of given ids (`command-memory.ts`: almost every
 * id is new, and that is known without a read), appends under way, and what was found lately. Second level: the journal.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Envelope } from '../core/envelope.js';
import { eventId } from '../core/ids.js';
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { CellJournal } from '../journal/journal.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import type { CommandEntry } from './command-entry.js';
import type { CommandMemory } from './command-memory.js';
import { upcast } from './replay.js';
import { stageEvent } from './stage-event.js';
import { AppendRequest, type EventToAppend } from './system-request.js';

/** The instance that events are appended to. */
export interface AppendTarget {
  readonly definition: RuntimeAggregate;
  readonly id: string;
}

/** What becomes of an append: nobody knows its events, its first outcome, or a refusal. */
export type AppendVerdict =
  | 'new'
  | { readonly version: number; readonly position: number }
  | { readonly refusal: TroupeError };

export class AppendedEvents {
  readonly #journal: CellJournal;
  readonly #memory: CommandMemory;
  /** Made when they are needed: most instances never see an append. */
  #underWay: Map<string, CommandEntry> | undefined;
  /** Oldest first. */
  #found: Map<string, RecordedEvent> | undefined;

  constructor(journal: CellJournal, memory: CommandMemory) {
    this.#journal = journal;
    this.#memory = memory;
  }

  /** Starts over with the instance. */
  load(): void {
    this.#underWay = undefined;
    this.#found = undefined;
  }

  underWay(entry: CommandEntry): void {
    const underWay = (this.#underWay ??= new Map<string, CommandEntry>());
    for (const id of entry.eventIds ?? []) underWay.set(id, entry);
  }

  settled(entry: CommandEntry): void {
    for (const id of entry.eventIds ?? []) this.#underWay?.delete(id);
    for (const hash of entry.eventIdHashes ?? []) this.#memory.addHash(hash, entry.version);
  }

  /** Whether no event of this append can be known. @param version of the instance */
  isNew(target: AppendTarget, { events }: AppendRequest, version: number): boolean {
    for (const { id } of events) {
      if (id === undefined) continue;
      if (this.#underWay?.has(id) === true || this.#memory.mayBeKnown(id)) return false;
      const place = placeIn(target, id);
      if (place !== undefined && place <= version) return false;
    }
    return true;
  }

  /**
   * What the journal knows of an append, once what is under way is durable. Repeats come in rows, so those behind are
   * looked up along with it.
   *
   * @param upcoming the message that will be taken after so many others
   */
  async lookUp(
    target: AppendTarget,
    request: AppendRequest,
    upcoming: (ahead: number) => Envelope | undefined,
  ): Promise<AppendVerdict> {
    await this.#durable(request);
    const wanted = new Set<string>();
    const near = new Set<number>();
    const want = ({ events }: AppendRequest): void => {
      for (const { id } of events) {
        if (id === undefined || this.#found?.has(id) === true || wanted.has(id)) continue;
        const versions = this.#memory.storedNear(id);
        if (versions.length > 0) wanted.add(id);
        for (const version of versions) near.add(version);
      }
    };
    want(request);
    for (let ahead = 0; wanted.size > 0 && wanted.size < LOOKED_UP_TOGETHER; ahead += 1) {
      const next = upcoming(ahead)?.payload;
      if (!(next instanceof AppendRequest)) break;
      want(next);
    }
    try {
      const { name } = target.definition;
      const stored =
        wanted.size === 0 ? [] : await this.#journal.findEvents(name, target.id, Array.from(wanted), Array.from(near));
      const known = new Map<string, RecordedEvent>();
      for (const event of stored) this.#remember(event);
      for (const { id } of request.events) {
        const event = id === undefined ? undefined : (this.#found?.get(id) ?? (await this.#atItsPlace(target, id)));
        if (event !== undefined) known.set(event.id, event);
      }
      return verdictOn(target, request.events, known);
    } catch (cause) {
      const text = `${nameOf(target)}: append: whether its events are in the journal could not be looked up`;
      return { refusal: new TroupeError('TROUPE_ACTOR_FAILED', text, { cause }) };
    }
  }

  /** Resolves when the appends under way of these events are committed, or have failed. */
  async #durable({ events }: AppendRequest): Promise<void> {
    for (const { id } of events) {
      const entry = id === undefined ? undefined : this.#underWay?.get(id);
      if (entry !== undefined) await new Promise<void>((resolve) => entry.follow(() => resolve()));
    }
  }

  /** The event whose id is the one that it has by its place; such an id is not stored. */
  async #atItsPlace(target: AppendTarget, id: string): Promise<RecordedEvent | undefined> {
    const place = placeIn(target, id);
    if (place === undefined) return undefined;
    const [event] = await this.#journal.readStream(target.definition.name, target.id, place - 1, place);
    return event?.id === id ? event : undefined;
  }

  #remember(event: RecordedEvent): void {
    const found = (this.#found ??= new Map<string, RecordedEvent>());
    found.set(event.id, event);
    if (found.size <= LIMITS.recentEventsPerInstance) return;
    for (const oldest of found.keys()) {
      found.delete(oldest);
      return;
    }
  }
}

/** Ids in one question to the journal, beyond those of one append. */
const LOOKED_UP_TOGETHER = 256;

function verdictOn(
  target: AppendTarget,
  events: readonly EventToAppend[],
  known: ReadonlyMap<string, RecordedEvent>,
): AppendVerdict {
  const recorded = events.map(({ id }) => (id === undefined ? undefined : known.get(id)));
  for (const [index, stored] of recorded.entries()) {
    const given = events[index];
    if (stored === undefined || given === undefined || isSame(target, given, stored)) continue;
    const text =
      `${nameOf(target)}: the event id ${stored.id} is that of version ${stored.version}, position ${stored.position}, ` +
      'which has another type or other data; give a new event a new id';
    return { refusal: new TroupeError('TROUPE_COMMAND_ID_REUSED', text, { details: factsOf(stored) }) };
  }
  const last = recorded.at(-1);
  const missing = recorded.filter((event) => event === undefined).length;
  if (missing === recorded.length) return 'new';
  if (missing > 0 || last === undefined) return { refusal: knownInPart(target, events, known, missing) };
  return { version: last.version, position: last.position };
}

function knownInPart(
  target: AppendTarget,
  events: readonly EventToAppend[],
  known: ReadonlyMap<string, RecordedEvent>,
  missing: number,
): TroupeError {
  const [first] = known.values();
  const nameless = events.some(({ id }) => id === undefined) ? ' One without an id is never recognised.' : '';
  return new TroupeError(
    'TROUPE_COMMAND_ID_REUSED',
    `${nameOf(target)}: append: of ${events.length} events ${events.length - missing} are in the journal already ` +
      `(${String(first?.id)} has version ${String(first?.version)}), ${missing} are not, and all or none are appended; ` +
      `append those that are new.${nameless}`,
    {
      details: {
        known: Array.from(known.keys()),
        unknown: events.flatMap(({ id }) => (id !== undefined && !known.has(id) ? id : [])),
      },
    },
  );
}

/** The same as it is stored, or the same in the shape of today. */
function isSame(target: AppendTarget, given: EventToAppend, stored: RecordedEvent): boolean {
  if (given.type !== stored.type) return false;
  if (isDeepStrictEqual(given.data, stored.data)) return true;
  try {
    const staged = stageEvent(target.definition, target.id, given.type, given.data);
    const own = { ...stored, data: structuredClone(stored.data) };
    return isDeepStrictEqual(staged.data, upcast(target.definition, own).data);
  } catch {
    // What can't be written, or read, today is not what was written then.
    return false;
  }
}

/** The version that an id means, if it has the form of ids by place of this instance. */
export function placeIn({ definition, id: aggregateId }: AppendTarget, id: string): number | undefined {
  const version = Number(id.slice(id.lastIndexOf('@') + 1));
  return Number.isSafeInteger(version) && eventId(definition.name, aggregateId, version) === id ? version : undefined;
}

function nameOf({ definition, id }: AppendTarget): string {
  return `${definition.name}/${id}`;
}

function factsOf({ id, type, version, position }: RecordedEvent): Record<string, unknown> {
  return { eventId: id, type, version, position };
}
