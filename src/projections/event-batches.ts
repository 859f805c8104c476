/**
 * The events that a projection has still to fold, pulled from the log in batches.
 *
 * What is at hand in memory makes a batch at once. A page from the journal is waited for only if there is little
 * else to do; it is read while the batch before it is folded.
 */
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { EventPage, Journal } from '../journal/journal.js';
import { EventFeed } from '../streams/event-feed.js';
import type { FollowedWindow } from '../streams/event-window.js';
import type { ProjectionPlan } from './projection-plan.js';
import type { HistoryReader, SharedHistory } from './shared-history.js';
import type { Turns } from './turns.js';
import { type Concern, typesToSee } from './unknown-events.js';

export interface EventSource {
  /** The past, beyond the window. */
  readonly history: SharedHistory;
  readonly window: FollowedWindow;
  readonly turns: Turns;
}

/** Events that are worth a batch of their own, when more could be had only by waiting. */
const ENOUGH = LIMITS.projectionBatch / 4;

export class EventBatches {
  readonly #source: EventSource;
  readonly #types: ReadonlySet<string> | undefined;
  readonly #concern: Concern;
  readonly #past: HistoryReader;
  #feed: EventFeed;
  #events: readonly RecordedEvent[] = [];
  #searchedTo: number;
  #reading: Promise<EventPage> | undefined;

  constructor(source: EventSource, plan: ProjectionPlan, concern: Concern, after: number) {
    this.#source = source;
    this.#types = typesToSee(plan);
    this.#concern = concern;
    this.#past = source.history.open();
    this.#feed = this.#feedAfter(after);
    this.#searchedTo = after;
  }

  /** The batch: events that were pulled and not taken yet. */
  get events(): readonly RecordedEvent[] {
    return this.#events;
  }

  /** Everything up to here has been taken, or is none of the types. */
  get position(): number {
    const [next] = this.#events;
    return next === undefined ? this.#searchedTo : next.position - 1;
  }

  /** Whether the log holds no more than what was pulled. */
  get atHead(): boolean {
    return this.#reading === undefined && this.#feed.atHead;
  }

  /** Whether there is nothing left to fold, here and in the log. */
  get used(): boolean {
    return this.#events.length === 0 && this.atHead;
  }

  /** Pulls until the batch is full, or what is at hand is used up. */
  async fill(): Promise<void> {
    const { turns } = this.#source;
    const events = [...this.#events];
    while (events.length < LIMITS.projectionBatch) {
      const pulled = this.#reading ?? this.#feed.pull(LIMITS.projectionBatch - events.length);
      if (pulled === undefined) break;
      if (pulled instanceof Promise && events.length >= ENOUGH) {
        this.#reading = pulled;
        // Its failure is for the call that waits for it.
        pulled.catch(() => undefined);
        break;
      }
      this.#reading = undefined;
      const page = await pulled;
      for (const event of page.events) if (this.#types !== undefined || this.#concern.covers(event)) events.push(event);
      this.#searchedTo = page.searchedTo;
      if (!turns.over) continue;
      if (events.length >= ENOUGH) break;
      await turns.next();
    }
    this.#events = events;
    if (this.atHead) this.#past.leave();
  }

  /** The first so many events have been folded. */
  take(count: number): void {
    this.#events = this.#events.slice(count);
  }

  /** Begins again behind a position. */
  restart(after: number): void {
    this.#past.leave();
    this.#events = [];
    this.#reading = undefined;
    this.#searchedTo = after;
    this.#feed = this.#feedAfter(after);
  }

  /** Holds nothing any more that others would wait for. */
  leave(): void {
    this.#past.leave();
  }

  #feedAfter(after: number): EventFeed {
    // All that a feed does with a journal is to read from it.
    const past = this.#past as Pick<Journal, 'read'> as Journal;
    return new EventFeed(this.#source.window, past, { after, types: this.#types });
  }
}
