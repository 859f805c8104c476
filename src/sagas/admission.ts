/**
 * Who of the sagas of a definition may begin: in order of their starts, so many in total, so many of a key, so many
 * within a time.
 *
 * A key that has its number holds up no other key. One that has begun keeps its place until it has ended or is parked,
 * also while it sleeps or waits, and across restarts. The time is handed in; nothing here touches the disk.
 */
import type { Clock, Timer } from '../core/clock.js';
import { RingBuffer } from '../core/ring-buffer.js';
import type { FlowSettings } from './saga-flow.js';

interface Lane {
  held: number;
  readonly waiting: RingBuffer<string>;
}

interface Entry {
  readonly lane: string;
  /** `waiting` for its key, `ready` but for the total and the rate, or `held`: at work. */
  phase: 'waiting' | 'ready' | 'held';
}

export class Admission {
  readonly #total: number;
  readonly #perKey: number;
  readonly #rate: FlowSettings['rate'];
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #entries = new Map<string, Entry>();
  readonly #lanes = new Map<string, Lane>();
  readonly #ready = new RingBuffer<string>();
  /** When the last ones began, as many as the rate allows in its time. */
  readonly #begun = new RingBuffer<number>();
  #held = 0;
  #alarm: Timer | undefined;

  /** @param wake called when the rate allows another one to begin */
  constructor({ concurrency, rate }: FlowSettings, clock: Clock, wake: () => void) {
    this.#total = concurrency?.total ?? Infinity;
    this.#perKey = concurrency?.perKey ?? Infinity;
    this.#rate = rate;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Those that have not begun. */
  get waiting(): number {
    return this.#entries.size - this.#held;
  }

  /** Whether some wait, and only the end of another one lets them begin. */
  get blocked(): boolean {
    return this.waiting > 0 && (this.#held >= this.#total || this.#firstReady() === undefined);
  }

  /** A saga waits for its turn. */
  offer(saga: string, lane: string): void {
    if (this.#entries.has(saga)) return;
    this.#entries.set(saga, { lane, phase: 'waiting' });
    this.#laneOf(lane).waiting.push(saga);
    this.#promote(lane);
  }

  /** A saga is at work already, whatever the limits say. */
  hold(saga: string, lane: string): void {
    const entry = this.#entries.get(saga) ?? { lane, phase: 'waiting' as const };
    if (entry.phase === 'held') return;
    // One that is ready has its place in the lane.
    if (entry.phase === 'waiting') this.#laneOf(entry.lane).held += 1;
    entry.phase = 'held';
    this.#held += 1;
    this.#entries.set(saga, entry);
  }

  /** The next one to begin, if one may; it counts as at work from now on. */
  next(): string | undefined {
    const saga = this.#firstReady();
    if (saga === undefined || this.#held >= this.#total || !this.#inTime()) return undefined;
    this.#ready.shift();
    this.hold(saga, '');
    return saga;
  }

  /** A saga has ended, or a person has to look at it: another one has its place. */
  release(saga: string): void {
    const entry = this.#entries.get(saga);
    if (entry === undefined) return;
    this.#entries.delete(saga);
    if (entry.phase === 'held') this.#held -= 1;
    const lane = this.#laneOf(entry.lane);
    if (entry.phase !== 'waiting') lane.held -= 1;
    this.#promote(entry.lane);
  }

  /** Wakes nobody any more. */
  end(): void {
    this.#alarm?.cancel();
  }

  /** Whether the rate lets one begin now; it is counted then. */
  #inTime(): boolean {
    if (this.#rate === undefined) return true;
    const { starts, perMs } = this.#rate;
    const now = this.#clock.monotonic();
    const oldest = this.#begun.peek();
    if (this.#begun.size >= starts && oldest !== undefined) {
      const waitMs = oldest + perMs - now;
      if (waitMs > 0) {
        this.#alarm ??= this.#clock.setTimer(waitMs, () => {
          this.#alarm = undefined;
          this.#wake();
        });
        return false;
      }
      this.#begun.shift();
    }
    this.#begun.push(now);
    return true;
  }

  /** Those of a lane that its number allows become ready. */
  #promote(name: string): void {
    const lane = this.#laneOf(name);
    while (lane.held < this.#perKey) {
      const saga = lane.waiting.shift();
      if (saga === undefined) break;
      const entry = this.#entries.get(saga);
      if (entry?.phase !== 'waiting') continue;
      entry.phase = 'ready';
      lane.held += 1;
      this.#ready.push(saga);
    }
    if (lane.held === 0 && lane.waiting.size === 0) this.#lanes.delete(name);
  }

  #firstReady(): string | undefined {
    for (;;) {
      const saga = this.#ready.peek();
      if (saga === undefined || this.#entries.get(saga)?.phase === 'ready') return saga;
      // Somebody has brought it before its turn, or it is gone.
      this.#ready.shift();
    }
  }

  #laneOf(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { held: 0, waiting: new RingBuffer() };
      this.#lanes.set(name, lane);
    }
    return lane;
  }
}
