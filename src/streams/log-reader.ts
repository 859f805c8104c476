/**
 * Reading the log from outside: as async iterables, pulled page by page, and as Observables.
 *
 * The past comes from the journal (by its index, where one aggregate is asked for), the present from the window;
 * between them is neither gap nor repeat. A stalled reader holds one page.
 */
import { setMaxListeners } from 'node:events';
import type { Observable, Subscriber } from 'rxjs';
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { EventPage, Journal } from '../journal/journal.js';
import { EventFeed } from './event-feed.js';
import type { EventWindow } from './event-window.js';
import { SafeObservable, type SubscriberCare } from './safe-observable.js';

/** Which events, and whether to go on when the past is through. */
export interface LogSelection {
  /** Only events with a greater position. Default 0: from the beginning. */
  readonly after?: number | undefined;
  readonly types?: readonly string[] | undefined;
  /** Name of an aggregate's definition. */
  readonly aggregate?: string | undefined;
  /** Id of one aggregate. */
  readonly id?: string | undefined;
  /** At most so many events. Default: all. */
  readonly limit?: number | undefined;
  /** Whether to wait for further events when the head is reached. Default false. */
  readonly live?: boolean | undefined;
  /** What becomes of events whose aggregate or type the cast doesn't know. Default `'pass'`: given as they are stored. */
  readonly unknownEvents?: UnknownEvents | undefined;
}

/** `'skip'`: left out and counted. `'fail'`: the reading ends with TROUPE_INVALID_EVENT, which names the position. */
export type UnknownEvents = 'pass' | 'skip' | 'fail';

export class LogReader {
  readonly #journal: Journal;
  readonly #window: EventWindow;
  readonly #present: (event: RecordedEvent) => RecordedEvent;
  readonly #known: (event: RecordedEvent) => boolean;
  #eventsSkipped = 0;
  readonly #stopped: AbortSignal;
  readonly #care: SubscriberCare;

  /**
   * @param stopped ends readers when the system stops, also those that have a backlog
   * @param caught told what a subscriber throws, and of a failed read that a subscriber has no handler for
   */
  constructor(
    journal: Journal,
    window: EventWindow,
    definitions: {
      readonly present: (event: RecordedEvent) => RecordedEvent;
      readonly known: (event: RecordedEvent) => boolean;
    },
    stopped: AbortSignal,
    caught: (error: unknown) => void,
  ) {
    this.#journal = journal;
    this.#window = window;
    this.#present = definitions.present;
    this.#known = definitions.known;
    this.#stopped = stopped;
    this.#care = { caught, emitted: undefined };
    // Each live reader listens; any number of them is no leak.
    setMaxListeners(0, stopped);
  }

  /** Unknown events that readers left out because they were told to, since the start. */
  get eventsSkipped(): number {
    return this.#eventsSkipped;
  }

  /**
   * Matching events in order of position, up to the head; with `live` on and on, until the system stops.
   *
   * @throws TROUPE_SYSTEM_STOPPED when the system stops before a reading without `live` has come to its end.
   */
  async *read(selection: LogSelection, cancelled?: AbortSignal): AsyncGenerator<RecordedEvent, void, undefined> {
    let left = selection.limit ?? Infinity;
    if (left <= 0) return;
    for await (const page of this.#pages(selection, cancelled)) {
      for (const event of page) {
        if (left <= 0 || cancelled?.aborted === true) return;
        if (selection.unknownEvents !== undefined && this.#skips(event, selection.unknownEvents)) continue;
        left -= 1;
        yield this.#present(event);
      }
      if (left <= 0) return;
    }
  }

  /**
   * The same as an Observable; each subscriber reads for itself, and is called synchronously page by page. One that
   * throws stays subscribed.
   */
  observe(selection: LogSelection): Observable<RecordedEvent> {
    return new SafeObservable(this.#care, (subscriber: Subscriber<RecordedEvent>) => {
      const cancel = new AbortController();
      const pump = async (): Promise<void> => {
        for await (const event of this.read(selection, cancel.signal)) subscriber.next(event);
        subscriber.complete();
      };
      pump().catch((error: unknown) => subscriber.error(error));
      return () => cancel.abort();
    });
  }

  /** @throws TROUPE_INVALID_EVENT for an unknown event that is to fail. */
  #skips(event: RecordedEvent, unknownEvents: UnknownEvents): boolean {
    if (unknownEvents === 'pass' || this.#known(event)) return false;
    if (unknownEvents === 'skip') {
      this.#eventsSkipped += 1;
      return true;
    }
    const { aggregate, aggregateId: id, version, position, type } = event;
    throw new TroupeError(
      'TROUPE_INVALID_EVENT',
      `${aggregate}/${id}, version ${version}, position ${position}: event ${type} is not defined in the cast; ` +
        "add it to the events of its aggregate, or read with unknownEvents: 'pass' or 'skip'",
      { details: { aggregate, id, version, position, type } },
    );
  }

  async *#pages(selection: LogSelection, cancelled: AbortSignal | undefined): AsyncGenerator<readonly RecordedEvent[]> {
    const { types, aggregate, id } = selection;
    const past = this.#window.head;
    let position = selection.after ?? 0;
    // Who begins to read after the end hears of it.
    const isLate = this.#stopped.aborted;
    while (position < past && cancelled?.aborted !== true) {
      const reading = this.#journal.read({ after: position, limit: LIMITS.readPage, types, aggregate, id });
      const page = await (isLate ? reading : this.#unlessStopped(reading));
      if (page === undefined) {
        // Who reads on and on knows what an end means; half of the past must not look like all of it.
        if (selection.live === true) return;
        throw cutShort(position, past);
      }
      // Events that came after the start belong to the second part, or to nobody.
      const until = page.events.findIndex((event) => event.position > past);
      position = until === -1 ? page.searchedTo : past;
      const events = until === -1 ? page.events : page.events.slice(0, until);
      if (events.length > 0) yield events;
    }
    if (selection.live !== true) return;
    const wanted = types === undefined ? undefined : new Set(types);
    const feed = new EventFeed(this.#window, this.#journal, { after: Math.max(position, past), types: wanted });
    while (cancelled?.aborted !== true && !this.#stopped.aborted) {
      const pulled = feed.pull(LIMITS.readPage);
      if (pulled === undefined) {
        await this.#nextCommit(feed, cancelled);
        continue;
      }
      const page = pulled instanceof Promise ? await this.#unlessStopped(pulled) : pulled;
      if (page === undefined) return;
      const events = page.events.filter(
        (event) =>
          (aggregate === undefined || event.aggregate === aggregate) && (id === undefined || event.aggregateId === id),
      );
      if (events.length > 0) yield events;
    }
  }

  /** The page, or undefined when the system has stopped meanwhile: what a closed journal answers is an end, and no error. */
  async #unlessStopped(reading: Promise<EventPage>): Promise<EventPage | undefined> {
    try {
      const page = await reading;
      return this.#stopped.aborted ? undefined : page;
    } catch (error) {
      if (this.#stopped.aborted) return undefined;
      throw error;
    }
  }

  /** Resolves when the feed has something to pull, or when there will be no more. */
  #nextCommit(feed: EventFeed, cancelled: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        unfollow();
        cancelled?.removeEventListener('abort', done);
        this.#stopped.removeEventListener('abort', done);
        resolve();
      };
      const unfollow = this.#window.follow(done);
      cancelled?.addEventListener('abort', done);
      this.#stopped.addEventListener('abort', done);
      if (!feed.atHead || cancelled?.aborted === true || this.#stopped.aborted) done();
    });
  }
}

function cutShort(position: number, past: number): TroupeError {
  return new TroupeError(
    'TROUPE_SYSTEM_STOPPED',
    `the events behind position ${position} were not read, up to ${past}: the system has stopped; read on at the next start, ` +
      `with { after: ${position} }`,
    { details: { position, head: past } },
  );
}

/** Folds the events of one aggregate up to a version or a time, inclusive; a pure reading, beside the living instance. */
export async function foldStream<State>(
  journal: Journal,
  aggregate: string,
  id: string,
  until: { readonly atVersion?: number | undefined; readonly atTime?: number | undefined },
  initial: State,
  fold: (state: State, event: RecordedEvent) => State,
): Promise<State> {
  let state = initial;
  let version = 0;
  const to = until.atVersion ?? Number.MAX_SAFE_INTEGER;
  while (version < to) {
    const page = await journal.readStream(aggregate, id, version, to);
    for (const event of page) {
      if (until.atTime !== undefined && event.recordedAt > until.atTime) return state;
      state = fold(state, event);
      version = event.version;
    }
    if (page.length === 0) break;
  }
  return state;
}
