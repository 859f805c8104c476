/**
 * A mailbox that hands out the highest priority first, and among equals in the order of arrival.
 *
 * One queue for each priority in use. Bounds and overflow as in `mailbox.ts`, over all priorities together; what
 * gives way under `drop-oldest` is the oldest message of the lowest priority, unless it might have waited for room.
 * Who waits for room does so in the order of arrival.
 */
import type { Envelope } from '../core/envelope.js';
import { RingBuffer } from '../core/ring-buffer.js';
import type { MailboxLimits, Offer } from './mailbox.js';
import { WaitingRoom } from './waiting-room.js';

/** Messages of one priority. */
interface Lane {
  readonly priority: number;
  readonly messages: RingBuffer<Envelope>;
}

export class PriorityMailbox {
  readonly #limits: MailboxLimits;
  /** By priority, lowest first; none is empty. */
  readonly #lanes: Lane[] = [];
  readonly #waiting = new WaitingRoom();
  #taken = 0;

  constructor(limits: MailboxLimits) {
    this.#limits = limits;
  }

  /** Messages that wait to be handled, those still waiting for room included. */
  get size(): number {
    return this.#taken + this.#waiting.size;
  }

  offer(envelope: Envelope): Offer {
    if (this.#taken < this.#limits.capacity && this.#waiting.size === 0) {
      this.#add(envelope);
      return 'taken';
    }
    if (envelope.waits) {
      this.#waiting.add(envelope);
      return 'waiting';
    }
    if (this.#limits.overflow === 'drop-newest') return 'dropped-newest';
    if (this.#limits.overflow === 'reject' || this.#waiting.size > 0) return 'refused';
    const oldest = this.#lanes[0]?.messages.peek();
    // The mailbox is full and its capacity is at least 1, so there is an oldest message.
    if (oldest === undefined || oldest.waits) return 'refused';
    this.#shift(0);
    this.#add(envelope);
    return { droppedOldest: oldest };
  }

  /** The next message; whoever waits for room moves up. */
  take(): Envelope | undefined {
    const next = this.#shift(this.#lanes.length - 1);
    while (this.#waiting.size > 0 && this.#taken < this.#limits.capacity) {
      const moved = this.#waiting.next();
      if (moved === undefined) break;
      this.#add(moved);
      moved.sink?.taken?.();
    }
    return next;
  }

  /** Withdraws a message that still waits for room; false if it has been taken already. */
  withdraw(envelope: Envelope): boolean {
    return this.#waiting.leave(envelope);
  }

  /** Takes everything out, in the order in which it would have been handled; who waits for room comes last. */
  drain(): Envelope[] {
    const all = this.#lanes.reverse().flatMap((lane) => lane.messages.drain());
    this.#lanes.length = 0;
    this.#taken = 0;
    return all.concat(this.#waiting.drain());
  }

  #add(envelope: Envelope): void {
    this.#laneOf(envelope.priority).messages.push(envelope);
    this.#taken += 1;
  }

  #shift(index: number): Envelope | undefined {
    const lane = this.#lanes[index];
    if (lane === undefined) return undefined;
    const envelope = lane.messages.shift();
    if (lane.messages.size === 0) this.#lanes.splice(index, 1);
    this.#taken -= 1;
    return envelope;
  }

  /** Found by bisection, made if there is none. */
  #laneOf(priority: number): Lane {
    let low = 0;
    let high = this.#lanes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // low <= middle < high <= length
      const lane = this.#lanes[middle] as Lane;
      if (lane.priority === priority) return lane;
      if (lane.priority < priority) low = middle + 1;
      else high = middle;
    }
    const lane: Lane = { priority, messages: new RingBuffer<Envelope>() };
    this.#lanes.splice(low, 0, lane);
    return lane;
  }
}
