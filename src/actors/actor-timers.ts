/**
 * Scheduled messages of one actor: once, or again and again, until cancelled.
 *
 * A tick is a message like any other: it waits in the mailbox, and a full one makes it a dead letter. A tick that
 * still waits when its timer is cancelled is not handled any more, and timers end with the life that made them.
 */
import type { Clock, Timer } from '../core/clock.js';
import { parseDuration } from '../core/duration.js';
import type { Envelope } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';
import type { ScheduledMessage, ScheduleTiming } from './actor-context.js';

export class ActorTimers {
  readonly #clock: Clock;
  readonly #accept: (tick: Envelope) => void;
  /** Timers that will fire. */
  readonly #pending = new Set<ActorTimer>();
  /** From each tick to its timer, as long as the tick is anywhere. */
  readonly #ticks = new WeakMap<Envelope, ActorTimer>();
  /** Grows with each `cancelAll`: ticks of earlier ones are stale. */
  #epoch = 0;

  /** @param accept puts a tick into the mailbox */
  constructor(clock: Clock, accept: (tick: Envelope) => void) {
    this.#clock = clock;
    this.#accept = accept;
  }

  /**
   * Starts a timer.
   *
   * @param makeTick the message, made anew for each tick.
   * @param where names the timer in the error message.
   * @throws TROUPE_INVALID_OPTIONS when the timing is no duration, or both or none of `after` and `every`.
   */
  schedule(makeTick: () => Envelope, timing: ScheduleTiming, where: string): ScheduledMessage {
    const { waitMs, repeats } = readTiming(timing, where);
    const timer = new ActorTimer(this.#clock, waitMs, repeats, this.#epoch, {
      tick: () => {
        const tick = makeTick();
        this.#ticks.set(tick, timer);
        this.#accept(tick);
      },
      over: () => this.#pending.delete(timer),
    });
    this.#pending.add(timer);
    return timer;
  }

  /** Whether a message is the tick of a cancelled timer. */
  isStale(envelope: Envelope): boolean {
    const timer = this.#ticks.get(envelope);
    return timer !== undefined && (timer.cancelled || timer.epoch !== this.#epoch);
  }

  /** Cancels every timer, those too whose last tick still waits. */
  cancelAll(): void {
    this.#epoch += 1;
    for (const timer of this.#pending) timer.cancel();
  }
}

interface TimerOwner {
  tick(): void;
  /** It will not fire any more. */
  over(): void;
}

class ActorTimer implements ScheduledMessage {
  readonly epoch: number;
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #repeats: boolean;
  readonly #owner: TimerOwner;
  #dueMs: number;
  #timer: Timer;
  #cancelled = false;

  constructor(clock: Clock, waitMs: number, repeats: boolean, epoch: number, owner: TimerOwner) {
    this.epoch = epoch;
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#repeats = repeats;
    this.#owner = owner;
    this.#dueMs = clock.monotonic() + waitMs;
    this.#timer = clock.setTimer(waitMs, this.#fire);
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#timer.cancel();
    this.#owner.over();
  }

  readonly #fire = (): void => {
    if (this.#repeats) this.#again();
    else this.#owner.over();
    this.#owner.tick();
  };

  /** Keeps the beat. Beats missed because the thread was busy are left out, so that they don't come in a burst. */
  #again(): void {
    const now = this.#clock.monotonic();
    const missed = Math.max(0, Math.floor((now - this.#dueMs) / this.#waitMs));
    this.#dueMs += (missed + 1) * this.#waitMs;
    this.#timer = this.#clock.setTimer(Math.max(0, this.#dueMs - now), this.#fire);
  }
}

function readTiming(timing: ScheduleTiming, where: string): { readonly waitMs: number; readonly repeats: boolean } {
  // JavaScript can pass anything; reading a field of an object as unknown is safe.
  const { after, every } = Object(timing) as { readonly after?: unknown; readonly every?: unknown };
  if ((after === undefined) === (every === undefined)) {
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `${where}: give either { after } or { every }, a duration`);
  }
  return every === undefined
    ? { waitMs: parseDuration(after, `${where}: after`), repeats: false }
    : { waitMs: parseDuration(every, `${where}: every`, { min: 1 }), repeats: true };
}
