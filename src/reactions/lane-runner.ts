/**
 * Runs the lanes of one reaction: brings them the events of the log, their attempts, and what follows from these.
 *
 * Events of one key one at a time and in order, different keys side by side, so many at a time. A key that waits
 * (for its handler, for the next attempt, for a person) holds up no other. Hot path: an event whose handler tells
 * commands costs no promise.
 */
import type { Clock } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { RingBuffer } from '../core/ring-buffer.js';
import type { AttemptRunner, AttemptsOwner } from './attempt-runner.js';
import { backoffMs } from './backoff.js';
import type { EventKeys } from './event-keys.js';
import type { EventSource } from './event-source.js';
import { KeyLane } from './key-lane.js';
import type { LaneRefill } from './lane-refill.js';
import type { LaneTable } from './lane-table.js';
import { isOutage, isQuarantine } from './letter-error.js';
import type { Parking } from './parking.js';
import type { AttemptResult } from './reaction-attempt.js';
import type { ReactionCheckpoint } from './reaction-checkpoint.js';
import type { ReactionSettings } from './reaction-definition.js';
import type { ThrottledLog } from '../streams/throttled-log.js';

export interface RunnerSurroundings {
  readonly name: string;
  readonly options: ReactionSettings;
  readonly keys: EventKeys;
  readonly lanes: LaneTable;
  readonly source: EventSource;
  readonly refill: LaneRefill;
  readonly parking: Parking;
  readonly checkpoint: ReactionCheckpoint;
  /** Who carries out attempts in this runner's name. */
  readonly attempts: (owner: AttemptsOwner) => AttemptRunner;
  readonly clock: Clock;
  readonly warnings: ThrottledLog;
  readonly concerns: (event: RecordedEvent) => boolean;
}

/** Keys that may wait for an attempt or a write before no more events are taken: by then every target fails. */
const MOST_WAITING_KEYS = 4 * LIMITS.reactionConcurrency;

export class LaneRunner implements AttemptsOwner {
  readonly #around: RunnerSurroundings;
  readonly #attempts: AttemptRunner;
  readonly #ready = new RingBuffer<KeyLane>();
  #scheduled = false;
  #pumping = false;
  /** No attempt begins any more. */
  #stopping = false;
  /** What attempts say is not heard any more. */
  #stopped = false;
  /** Called when nothing is being handled or written any more. */
  #quiet: (() => void) | undefined;

  constructor(around: RunnerSurroundings) {
    this.#around = around;
    this.#attempts = around.attempts(this);
  }

  /** Whether the time that `stop()` gave is over. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Begins with what an earlier run has left. */
  start(): void {
    for (const lane of this.#around.lanes.values()) this.#next(lane);
    this.wake();
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#scheduled || this.#pumping || this.#stopping) return;
    this.#scheduled = true;
    queueMicrotask(this.#pump);
  }

  /** Something was given to a lane; it begins with it when it is idle. */
  offered(lane: KeyLane): void {
    if (lane.phase === 'idle' && !this.#stopping) this.#next(lane);
  }

  /** Nothing is under way in the lane; it goes on with what is next. */
  rest(lane: KeyLane): void {
    const { lanes, checkpoint } = this.#around;
    lane.current = undefined;
    lane.job = undefined;
    lanes.enter(lane, 'idle');
    checkpoint.touch();
    if (this.#stopping) return this.#lookQuiet();
    this.#next(lane);
    this.wake();
  }

  /** Begins nothing any more; resolves when nothing is being handled or written. */
  drain(): Promise<void> {
    this.#stopping = true;
    for (const lane of this.#around.lanes.values()) lane.backoff?.cancel();
    return new Promise((resolve) => {
      this.#quiet = resolve;
      this.#lookQuiet();
    });
  }

  /** What is still being handled is not heard any more. */
  abandon(why: Error): void {
    this.#stopped = true;
    for (const lane of this.#around.lanes.values()) lane.failJobs(why);
  }

  /** Works until there is nothing to do, or timers and I/O have waited long enough. */
  readonly #pump = (): void => {
    this.#scheduled = false;
    if (this.#stopping) return;
    const { clock, lanes } = this.#around;
    const endsMs = clock.monotonic() + LIMITS.dispatcherTurnMs;
    this.#pumping = true;
    for (let steps = 1; lanes.count('running') < LIMITS.reactionConcurrency && this.#step(); steps += 1) {
      if ((steps & 31) === 0 && clock.monotonic() > endsMs) {
        this.#scheduled = true;
        setImmediate(this.#pump);
        break;
      }
    }
    this.#pumping = false;
  };

  /** Starts one attempt, or takes one event; false: there is nothing to do now. */
  #step(): boolean {
    const lane = this.#ready.shift();
    if (lane !== undefined) {
      this.#try(lane);
      return true;
    }
    const { lanes, source, checkpoint, concerns } = this.#around;
    if (lanes.count('backing-off') + lanes.count('writing') >= MOST_WAITING_KEYS) return false;
    const event = source.next();
    if (event === undefined) return false;
    if (event !== 'page' && concerns(event)) this.#take(event);
    checkpoint.touch();
    return true;
  }

  #take(event: RecordedEvent): void {
    const { keys, lanes } = this.#around;
    const key = keys.of(event);
    const known = lanes.get(key);
    if (known === undefined) {
      const lane = lanes.add(new KeyLane(key));
      lane.current = event;
      this.#try(lane);
      return;
    }
    known.offer(event);
    if (known.phase === 'idle') this.#next(known);
  }

  /** Gives an idle lane its next job or event, or forgets it. */
  #next(lane: KeyLane): void {
    const { lanes, parking, refill } = this.#around;
    if (lane.advance()) {
      if (lane.current === undefined) void parking.release(lane);
      else this.#makeReady(lane);
    } else if (lane.hungry) {
      lanes.enter(lane, 'reading');
      refill.add(lane);
    } else if (lane.forgettable) {
      lanes.delete(lane);
    }
  }

  #makeReady(lane: KeyLane): void {
    this.#around.lanes.enter(lane, 'ready');
    this.#ready.push(lane);
    this.wake();
  }

  #try(lane: KeyLane): void {
    const { lanes, checkpoint, keys } = this.#around;
    const event = lane.current;
    if (event === undefined) return;
    lanes.enter(lane, 'running');
    if (lane.attempts === 0) lane.sinceRound = checkpoint.round;
    lane.attempts += 1;
    try {
      keys.check(lane.key, event);
    } catch (error) {
      this.attemptEnded(lane, { failed: true, error, refusedId: undefined });
      return;
    }
    this.#attempts.begin(lane, event);
  }

  attemptEnded(lane: KeyLane, result: AttemptResult): void {
    // After the deadline of `stop` the event is simply not finished, and will be delivered again.
    if (this.#stopped) return;
    const { lanes, parking, options } = this.#around;
    if (!result.failed) {
      if (lane.job === undefined) this.rest(lane);
      else void parking.release(lane);
    } else if (this.#stopping) {
      lanes.enter(lane, 'backing-off');
      this.#lookQuiet();
    } else if (isOutage(result.error) || (lane.attempts < options.retry.attempts && !isQuarantine(result.error))) {
      this.#backOff(lane, result.error);
    } else {
      void parking.park(lane, result);
    }
  }

  #backOff(lane: KeyLane, error: unknown): void {
    const { name, options, lanes, clock, warnings } = this.#around;
    const waitMs = backoffMs(lane.attempts, options.retry.backoff.minMs, options.retry.backoff.maxMs);
    const text = error instanceof Error ? error.message : String(error);
    const { type, position } = lane.current ?? {};
    warnings.write(
      'attempt',
      `reaction ${name}: attempt ${lane.attempts} at ${type} of key ${lane.key} (position ${position}) failed, trying again ` +
        `in ${waitMs} ms: ${text}`,
      { error },
    );
    lanes.enter(lane, 'backing-off');
    lane.backoff = clock.setTimer(waitMs, () => {
      lane.backoff = undefined;
      this.#makeReady(lane);
    });
    this.wake();
  }

  #lookQuiet(): void {
    const { lanes } = this.#around;
    if (lanes.count('running') + lanes.count('writing') === 0) this.#quiet?.();
  }
}
