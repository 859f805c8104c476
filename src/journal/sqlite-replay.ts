/**
 * The events of aggregates on their way from the file into their folds: for many at once, a page read once for all.
 *
 * Pages are visited in order of position, and each event is folded as soon as it is decoded: nothing but the states
 * outlives a page, whatever the number of aggregates. While some pages are folded the next are read. Hot path
 * (`bench recovery`): numbers in arrays, no object for each span.
 */
import type { EncodedEvent } from './event-codec.js';
import { decodeForReplay } from './event-codec.js';
import { extractOne, parsePage } from './event-page.js';
import type { StoredPage } from './event-page.js';
import type { IndexRow } from './index-row.js';
import type { EventFold } from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { SqliteSession } from './sqlite-connection.js';
import { notThere, type PageBytes, pagesWithin } from './sqlite-pages.js';

/** Aggregates in one sweep. */
export const SWEEP = 1_024;

/**
 * The pages that are wanted, in lists of numbers, those of one aggregate one behind the other: what lives until the last
 * page is folded is nothing that the garbage collector would have to look through.
 */
export class SweepPlan {
  /** Where each page is, and whose it is: ascending with the position. */
  readonly keys: number[] = [];
  /** The aggregate's versions in it. */
  readonly firstVersions: number[] = [];
  readonly lastVersions: number[] = [];
}

/** One aggregate of a sweep: which of its events are wanted, and how far it is. */
export class SweptAggregate {
  readonly aggregate: string;
  readonly id: string;
  readonly fold: EventFold;
  readonly to: number;
  /** Characters of pages for it, beyond which the rest is for another sweep. */
  readonly mostChars: number;
  chars = 0;
  /** What its fold has thrown. */
  failure: { readonly error: unknown } | undefined;
  /** Its next page in the lists of the plan. */
  #next = 0;

  constructor(aggregate: string, id: string, fold: EventFold, to: number, mostChars: number) {
    this.aggregate = aggregate;
    this.id = id;
    this.fold = fold;
    this.to = to;
    this.mostChars = mostChars;
  }

  /** Takes the pages behind what is folded from rows in ascending order, up to a gap; at most so many. */
  plan(plan: SweepPlan, place: number, rows: readonly IndexRow[], most: number): void {
    const { keys, firstVersions, lastVersions } = plan;
    this.#next = keys.length;
    const end = keys.length + most;
    let next = this.fold.version + 1;
    for (const { firstVersion, lastVersion, pages } of rows) {
      if (lastVersion < next) continue;
      if (firstVersion > next) break;
      for (let i = 0; i < pages.length && keys.length < end; i += 2) {
        const first = pages[i] ?? 0;
        const last = (pages[i + 2] ?? lastVersion + 1) - 1;
        if (first > this.to) return;
        if (last < next) continue;
        keys.push((pages[i + 1] ?? 0) * SWEEP + place);
        firstVersions.push(first);
        lastVersions.push(last);
      }
      next = lastVersion + 1;
    }
  }

  get isDone(): boolean {
    return this.failure !== undefined || this.chars >= this.mostChars;
  }

  /** Folds what it wants of the next of its pages, which is this one; its first event stands at `position`. */
  take(page: OpenPage, position: number, { firstVersions, lastVersions }: SweepPlan): void {
    const first = firstVersions[this.#next] ?? 0;
    const last = lastVersions[this.#next] ?? 0;
    this.#next += 1;
    this.chars += page.size;
    try {
      if (first === last) this.#takeOne(page, first, position);
      else this.#takeSome(page, Math.min(last, this.to), position);
    } catch (error) {
      this.failure = { error };
    }
  }

  #takeOne(page: OpenPage, version: number, position: number): void {
    const encoded = page.one(this.aggregate, this.id, version, position);
    if (encoded !== undefined) this.fold.take(decodeForReplay(encoded, position, page.stored.recordedAt));
  }

  #takeSome({ events, stored }: OpenPage, last: number, position: number): void {
    const { fold, aggregate, id } = this;
    for (let i = position - stored.firstPosition; i < events.length && fold.version < last; i += 1) {
      const encoded = events[i];
      if (encoded === undefined || encoded[2] <= fold.version) continue;
      if (encoded[1] !== id || encoded[0] !== aggregate) continue;
      fold.take(decodeForReplay(encoded, stored.firstPosition + i, stored.recordedAt));
    }
  }
}

/** A page while its events are folded; parsed as a whole if much of it is wanted. */
class OpenPage {
  readonly stored: StoredPage;
  readonly size: number;
  readonly #isWanted: boolean;
  #events: readonly EncodedEvent[] | undefined;

  constructor(page: PageBytes, wanted: number) {
    const stored = page.toPage();
    this.stored = stored;
    this.size = page.size;
    this.#isWanted = wanted * WORTH_PARSING >= stored.lastPosition - stored.firstPosition + 1;
  }

  get events(): readonly EncodedEvent[] {
    return (this.#events ??= parsePage(this.stored));
  }

  /** The event at a position; undefined when another one stands there. */
  one(aggregate: string, id: string, version: number, position: number): EncodedEvent | undefined {
    if (!this.#isWanted && this.#events === undefined) {
      const alone = extractOne(this.stored.body, `["${aggregate}",${JSON.stringify(id)},${version},"`);
      if (alone !== undefined) return alone;
    }
    const encoded = this.events[position - this.stored.firstPosition];
    return encoded?.[2] === version && encoded[1] === id && encoded[0] === aggregate ? encoded : undefined;
  }
}

/** A page is parsed whole if it holds less than so many events for each that is wanted. */
const WORTH_PARSING = 4;

/**
 * Folds the planned events of some aggregates, each as far as its characters and those of all allow, at least one page.
 *
 * @throws TROUPE_JOURNAL_CORRUPT when a page is damaged or not there; what was folded before is.
 */
export async function sweep(
  session: SqliteSession,
  aggregates: readonly SweptAggregate[],
  plan: SweepPlan,
): Promise<void> {
  const keys = Float64Array.from(plan.keys);
  // A typed array sorts numbers without asking anybody.
  keys.sort();
  let charsOfAll = 0;
  let reading: Promise<PageBytes[]> | undefined;
  for (let next = firstWanted(aggregates, keys, 0); next < keys.length; ) {
    const pages = await (reading ?? read(session, aggregates, keys, next));
    const end = endOf(pages, keys, next);
    if (end === next) throw notThere(positionOf(keys[next] ?? 0));
    for (const { size } of pages) charsOfAll += size;
    const isEnough = charsOfAll >= JOURNAL_LIMITS.replayChars;
    // What one aggregate alone will not want when it has these is not read ahead.
    const isLast = isEnough || (aggregates.length === 1 && (aggregates[0]?.mostChars ?? 0) <= charsOfAll);
    const ahead = isLast ? keys.length : firstWanted(aggregates, keys, end);
    reading = ahead < keys.length ? read(session, aggregates, keys, ahead) : undefined;
    // Should the pages be damaged that nobody needs any more, nobody hears of it.
    reading?.catch(() => undefined);
    takeAll(pages, aggregates, plan, keys.subarray(next, end));
    // Each one gets something, or it would seem that there is nothing.
    if (isEnough) for (const swept of aggregates) if (swept.chars > 0) swept.chars = Number.POSITIVE_INFINITY;
    next = firstWanted(aggregates, keys, end);
    if (next !== ahead) reading = undefined;
  }
}

/** Index of the first key from one on whose aggregate is not done. */
function firstWanted(aggregates: readonly SweptAggregate[], keys: Float64Array, from: number): number {
  let next = from;
  while (next < keys.length && ownerOf(aggregates, keys[next] ?? 0).isDone) next += 1;
  return next;
}

/** The pages of some of the keys from one on. */
function read(
  session: SqliteSession,
  aggregates: readonly SweptAggregate[],
  keys: Float64Array,
  from: number,
): Promise<PageBytes[]> {
  const runs: [from: number, to: number][] = [];
  let run: [from: number, to: number] | undefined;
  const end = Math.min(keys.length, from + JOURNAL_LIMITS.readPositions);
  for (let i = from; i < end && runs.length < JOURNAL_LIMITS.sweepRuns; i += 1) {
    const key = keys[i] ?? 0;
    if (ownerOf(aggregates, key).isDone) continue;
    const position = positionOf(key);
    if (run !== undefined && position - run[1] <= JOURNAL_LIMITS.pageEvents) run[1] = position;
    else runs.push((run = [position, position]));
  }
  return pagesWithin(session, runs, JOURNAL_LIMITS.sweepChars);
}

/** Index behind the last key that these pages reach. */
function endOf(pages: readonly PageBytes[], keys: Float64Array, from: number): number {
  const last = pages.at(-1)?.lastPosition ?? 0;
  let end = from;
  while (end < keys.length && positionOf(keys[end] ?? 0) <= last) end += 1;
  return end;
}

function takeAll(
  pages: readonly PageBytes[],
  aggregates: readonly SweptAggregate[],
  plan: SweepPlan,
  keys: Float64Array,
): void {
  let next = 0;
  for (const bytes of pages) {
    let end = next;
    while (end < keys.length && positionOf(keys[end] ?? 0) <= bytes.lastPosition) end += 1;
    if (end === next) continue;
    const page = new OpenPage(bytes, end - next);
    for (; next < end; next += 1) {
      const key = keys[next] ?? 0;
      const swept = ownerOf(aggregates, key);
      if (swept.isDone) continue;
      const position = positionOf(key);
      if (position < bytes.firstPosition) throw notThere(position);
      swept.take(page, position, plan);
    }
  }
}

function positionOf(key: number): number {
  return Math.floor(key / SWEEP);
}

function ownerOf(aggregates: readonly SweptAggregate[], key: number): SweptAggregate {
  return aggregates[key % SWEEP] ?? unreachable();
}

function unreachable(): never {
  throw new Error('every key belongs to an aggregate');
}
