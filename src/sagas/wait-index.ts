/**
 * Who waits for which event: an index, so that an event finds its waiters without a search among all of them.
 *
 * By type together with aggregate id, or with correlation id, or alone when neither was given. Besides, the last
 * events of each type that anybody has waited for are kept, so that a wait that comes late finds its event at once;
 * what is older is read from the journal (`wait-search.ts`). A wait is told of events in order of position.
 */
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { RingBuffer } from '../core/ring-buffer.js';
import type { EventWindow } from '../streams/event-window.js';

/** Somebody who waits for one event. */
export interface Waiter {
  readonly type: string;
  readonly aggregateId: string | undefined;
  readonly correlationId: string | undefined;
  /** Whether it is the one: then the waiter has taken it, and is not told of another. */
  offer(event: RecordedEvent): boolean;
  /** It has been told of everything so far, and is told of each further event as it comes. */
  listed?(): void;
}

interface Listed {
  readonly waiter: Waiter;
  /** Who came first is asked first. */
  readonly number: number;
}

export class WaitIndex {
  readonly #window: EventWindow;
  readonly #waiting = new Map<string, Map<Waiter, Listed>>();
  /** Kept events by key, oldest first. */
  readonly #kept = new Map<string, RecordedEvent[]>();
  readonly #order = new RingBuffer<RecordedEvent>();
  /** By type: every event behind this position, up to where the index is, is kept. */
  readonly #floors = new Map<string, number>();
  #position: number;
  #count = 0;

  /** @param window the last events of the journal */
  constructor(window: EventWindow) {
    this.#window = window;
    this.#position = window.head;
  }

  /** Waiters have been told of everything up to here. */
  get position(): number {
    return this.#position;
  }

  /** Whether the waiters have been told of everything that is committed. */
  get atHead(): boolean {
    return this.#position >= this.#window.head;
  }

  /** Position of the last committed event. */
  get head(): number {
    return this.#window.head;
  }

  /** Whether anybody has ever waited for an event. */
  get used(): boolean {
    return this.#floors.size > 0;
  }

  /**
   * Lets a waiter wait; what came behind `after` and is kept is offered at once. False: it may have come before what
   * is kept, up to `position`; then the waiter is not listed.
   */
  add(waiter: Waiter, after: number): boolean {
    const { type } = waiter;
    if (!this.#floors.has(type)) this.#learn(type);
    if (after < (this.#floors.get(type) ?? this.#position)) return false;
    for (const event of this.#kept.get(keyOf(waiter)) ?? []) {
      if (event.position > after && fits(waiter, event) && waiter.offer(event)) return true;
    }
    this.list(waiter);
    return true;
  }

  /** Lets a waiter wait that has been told of everything up to `position`. */
  list(waiter: Waiter): void {
    const key = keyOf(waiter);
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      waiting = new Map();
      this.#waiting.set(key, waiting);
    }
    this.#count += 1;
    waiting.set(waiter, { waiter, number: this.#count });
    if (!this.#floors.has(waiter.type)) this.#floors.set(waiter.type, this.#position);
  }

  remove(waiter: Waiter): void {
    const key = keyOf(waiter);
    const waiting = this.#waiting.get(key);
    if (waiting?.delete(waiter) === true && waiting.size === 0) this.#waiting.delete(key);
  }

  /** Takes one event, in order of position, and offers it to those who wait for it. */
  take(event: RecordedEvent): void {
    this.#position = event.position;
    if (!this.#floors.has(event.type)) return;
    this.#keep(event);
    const found: Listed[] = [];
    for (const key of keysOf(event)) {
      for (const listed of this.#waiting.get(key)?.values() ?? []) if (fits(listed.waiter, event)) found.push(listed);
    }
    if (found.length > 1) found.sort((a, b) => a.number - b.number);
    for (const { waiter } of found) if (waiter.offer(event)) this.remove(waiter);
  }

  /** Nothing up to here concerns anybody. */
  skipTo(position: number): void {
    if (position > this.#position) this.#position = position;
  }

  /** From now on events of this type are kept; those that are still in the window are, too. */
  #learn(type: string): void {
    const events: RecordedEvent[] = [];
    let floor = this.#position;
    for (let at = this.#window.oldest - 1; at < this.#position; ) {
      const part = this.#window.partAfter(at);
      if (typeof part === 'string') break;
      floor = Math.min(floor, at);
      for (const event of part) {
        if (event.type === type && event.position <= this.#position) events.push(event);
        at = event.position;
      }
    }
    this.#floors.set(type, floor);
    for (const event of events) this.#keep(event);
  }

  #keep(event: RecordedEvent): void {
    for (const key of keysOf(event)) {
      const kept = this.#kept.get(key);
      if (kept === undefined) this.#kept.set(key, [event]);
      else kept.push(event);
    }
    this.#order.push(event);
    if (this.#order.size > LIMITS.sagaEventsKept) this.#forget(this.#order.shift());
  }

  #forget(oldest: RecordedEvent | undefined): void {
    if (oldest === undefined) return;
    this.#floors.set(oldest.type, Math.max(this.#floors.get(oldest.type) ?? 0, oldest.position));
    for (const key of keysOf(oldest)) {
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      const place = kept.indexOf(oldest);
      if (place >= 0) kept.splice(place, 1);
      if (kept.length === 0) this.#kept.delete(key);
    }
  }
}

/** Whether an event is of the kind that a waiter named; what else it asks is its own matter. */
export function fits({ type, aggregateId, correlationId }: Waiter, event: RecordedEvent): boolean {
  if (event.type !== type) return false;
  if (aggregateId !== undefined && event.aggregateId !== aggregateId) return false;
  return correlationId === undefined || event.correlationId === correlationId;
}

/** The one key under which a waiter stands. */
export function keyOf({ type, aggregateId, correlationId }: Waiter): string {
  if (aggregateId !== undefined) return `${type}\0a\0${aggregateId}`;
  return correlationId === undefined ? type : `${type}\0c\0${correlationId}`;
}

/** The keys under which waiters for an event may stand. */
export function keysOf({ type, aggregateId, correlationId }: RecordedEvent): string[] {
  return [`${type}\0a\0${aggregateId}`, `${type}\0c\0${correlationId}`, type];
}
