/**
 * A clock that stands still until it is told to go on: tests decide what time it is, and never sleep.
 *
 * Timers fire in the order of their due times, and among equals in the order in which they were set; while one
 * fires, the clock shows its due time. Between two due times everything that is ready on the event loop gets its
 * turn, so that what a timer causes has happened before the next one fires.
 */
import type { Clock, Timer } from '../core/clock.js';
import { type Duration, parseDuration } from '../core/duration.js';
import { TroupeError } from '../core/troupe-error.js';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * A `Clock` whose time is moved by hand; give it to `ActorSystem.start({ clock })`.
 *
 * @example
 * const clock = new ManualClock();
 * clock.setTimer(1_000, () => console.log('a second has passed'));
 * await clock.advance(1_000);
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Pending>();
  #wallMs: number;
  #elapsedMs = 0;
  #order = 0;

  /** @param startMs wall time at the start, epoch milliseconds. Default: the first moment of 2020, UTC. */
  constructor(startMs: number = Date.UTC(2020, 0, 1)) {
    this.#wallMs = startMs;
  }

  now(): number {
    return this.#wallMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    this.#order += 1;
    const pending: Pending = { dueMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order, fire };
    this.#timers.add(pending);
    return { cancel: () => void this.#timers.delete(pending) };
  }

  /** Timers that have not fired yet. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Lets time pass; resolves when the timers due have fired and what they caused at once has happened.
   *
   * @throws TROUPE_INVALID_OPTIONS for a time that is negative or no number: monotonic time never goes back.
   */
  async advance(time: Duration): Promise<void> {
    const untilMs = this.#elapsedMs + forward(time, 'advance');
    await turn();
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#timers.delete(next);
      this.#goTo(Math.max(next.dueMs, this.#elapsedMs));
      next.fire();
      await turn();
    }
    // Somebody else may have gone further meanwhile.
    this.#goTo(Math.max(untilMs, this.#elapsedMs));
  }

  /** Time passes while nothing can run, as when a handler keeps the thread busy; what fell due fires with `advance`. */
  block(time: Duration): void {
    this.#goTo(this.#elapsedMs + forward(time, 'block'));
  }

  /** Moves the wall clock by so much, in either direction; monotonic time and timers don't notice. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** Sets the wall clock, which may jump in either direction; monotonic time and timers don't notice. */
  jumpTo(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  #goTo(elapsedMs: number): void {
    this.#wallMs += elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
  }

  #nextDue(untilMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      if (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

function forward(time: Duration, what: string): number {
  const ms = typeof time === 'string' ? parseDuration(time, `ManualClock.${what}`) : time;
  if (ms >= 0 && Number.isFinite(ms)) return ms;
  throw new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `ManualClock.${what}: ${ms} is no time to pass; give 0 ms or more, or jump() the wall clock`,
  );
}

/** Everything that is ready now has run: promises, and what they schedule with setImmediate twice in a row. */
async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  await new Promise<void>((resolve) => setImmediate(resolve));
}
