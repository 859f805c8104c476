/**
 * The dispatcher: who runs next on this thread.
 *
 * Cells with work run in turns of some messages each. Newcomers, which had nothing to do before, go first; who has used
 * up a turn and has more to do is one of the others, of which one runs after at most so many newcomers. So one that
 * is flooded holds up no quiet one for longer than its turn, and many quiet ones can't shut it out. Turns run as
 * microtasks (the cheapest wake-up there is), and so does the code of whoever waits for a reply: there are pauses for
 * it. When the time of a round is used up, timers and I/O get theirs, because the next round starts with
 * `setImmediate`. While turns are slow they become shorter. Hot path: suite `mailbox`.
 */
import type { Clock } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import { atMicrotask, continuations } from '../core/microtask.js';
import { RingBuffer } from '../core/ring-buffer.js';

/** Something that handles messages when it is its turn. */
export interface Runnable {
  /** Handles up to `budget` messages. True: there is more to do now. It must not throw. */
  run(budget: number): boolean;
}

/** Newcomers that run in a row while somebody stands in the second queue. */
const NEWCOMERS = 64;
/** Turns after each of which microtasks run, when somebody's promise was settled: what waits may be a chain of them. */
const POLITE_TURNS = 16;
/** Looking at the time costs as much as a small message: while turns are quick, once in so many of them. */
const MOST_TURNS = 16;
/** Milliseconds that a reply to another thread waits for others that leave with it. */
const FRAME_MS = 0.1;
/** Runs in a round of which the loop is not asked when it has turned, as that costs more than a lone message. */
const QUIET_RUNS = 8;
/** Milliseconds that a turn may take; below that the next look at the time may come later. */
const QUICK_MS = 0.25;

export class Dispatcher {
  readonly #clock: Clock;
  readonly #newcomers = new RingBuffer<Runnable>(64);
  readonly #others = new RingBuffer<Runnable>(16);
  #scheduled = false;
  #inRound = false;
  /** Whether `#newRound` will end the round, when the loop has turned. */
  #announced = false;
  /** Runs since the round began, until it is announced. */
  #runs = 0;
  /** Monotonic time at which the round is used up. */
  #roundEndsMs = 0;
  #usedUp = false;
  /** Messages in one turn. */
  #budget: number = LIMITS.dispatcherThroughput;
  /** Newcomers that have run since one of the others did. */
  #inARow = 0;
  /** Turns of the others after which microtasks still get theirs. */
  #politeFor = 0;
  /** Turns until the next look at the time. */
  #turnsLeft = 1;
  #stride = 1;
  #lookedMs = 0;
  #pausedMs = 0;
  /** Whether no turn, and nothing else, has run since that look. */
  #justLooked = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether any cell has work that it could do now. */
  get busy(): boolean {
    return this.#newcomers.size > 0 || this.#others.size > 0;
  }

  /** Puts a cell into the queue; the cell sees to it that it stands there only once. */
  schedule(runnable: Runnable): void {
    this.#newcomers.push(runnable);
    if (!this.#scheduled) this.#continue();
  }

  #continue(): void {
    this.#scheduled = true;
    if (this.#usedUp) setImmediate(this.#run);
    else atMicrotask(this.#run);
  }

  readonly #run = (): void => {
    this.#justLooked = false;
    if (!this.#inRound) this.#beginRound();
    else if (!this.#announced) this.#goOn();
    else if (this.#stride === 1) this.#look();
    try {
      this.#stretch();
    } catch (error) {
      // One that throws is a defect of the runtime and surfaces as such, not as a rejection; it takes no other with it.
      queueMicrotask(() => {
        throw error;
      });
    } finally {
      if (this.busy) this.#continue();
      else this.#scheduled = false;
    }
  };

  /** Until nothing is left to do, the round is used up, or microtasks shall have their turn. */
  #stretch(): void {
    do {
      if (this.#newcomers.size > 0 && (this.#inARow < NEWCOMERS || this.#others.size === 0)) {
        this.#runNewcomers();
      } else {
        this.#inARow = 0;
        this.#politeFor -= 1;
        const next = this.#others.shift();
        if (next === undefined) return;
        this.#turn(next);
      }
      if (continuations.due) {
        continuations.due = false;
        this.#politeFor = POLITE_TURNS;
      }
    } while (!this.#usedUp && this.#politeFor <= 0);
  }

  #runNewcomers(): void {
    for (let left = NEWCOMERS; left > 0 && !this.#usedUp; left -= 1) {
      const next = this.#newcomers.shift();
      if (next === undefined) return;
      this.#inARow += 1;
      this.#turn(next);
    }
  }

  #turn(runnable: Runnable): void {
    if (runnable.run(this.#budget)) {
      this.#others.push(runnable);
      this.#timeTurn();
    } else if (this.#turnsLeft > 1) {
      this.#turnsLeft -= 1;
      this.#justLooked = false;
    } else {
      this.#timeTurns();
    }
  }

  #beginRound(): void {
    this.#inRound = true;
    this.#announced = false;
    this.#runs = 0;
    this.#roundEndsMs = this.#look() + LIMITS.dispatcherRoundMs;
  }

  /** Another run in a round that isn't announced: the loop may have turned since, as it does between lone messages, or not. */
  #goOn(): void {
    this.#runs += 1;
    const now = this.#look();
    if (now > this.#roundEndsMs) this.#roundEndsMs = now + LIMITS.dispatcherRoundMs;
    else if (this.#runs < QUIET_RUNS) return;
    this.#announce();
  }

  #announce(): void {
    this.#announced = true;
    setImmediate(this.#newRound);
  }

  /** A whole turn was used: the next ones are as long as the time of this one allows. */
  #timeTurn(): void {
    const isAlone = this.#justLooked;
    const tookMs = this.#timeTurns();
    if (tookMs < QUICK_MS) {
      this.#budget = Math.min(LIMITS.dispatcherThroughput, this.#budget + 1 + (this.#budget >> 2));
    } else if (isAlone) {
      this.#budget = Math.max(1, Math.floor((this.#budget * QUICK_MS) / tookMs));
    }
  }

  /** Ends the round when its time is over, and tells how long ago the last look was. */
  #timeTurns(): number {
    const lookedMs = this.#lookedMs;
    const now = this.#look();
    this.#stride = now - lookedMs < QUICK_MS ? Math.min(MOST_TURNS, this.#stride * 2) : 1;
    this.#turnsLeft = this.#stride;
    this.#usedUp = now > this.#roundEndsMs;
    if (this.#usedUp && !this.#announced) this.#announce();
    if (continuations.soon && now - this.#pausedMs >= FRAME_MS) this.#pause(now);
    return now - lookedMs;
  }

  /** Microtasks have their turn after this one; it is enough for frames to leave. */
  #pause(now: number): void {
    continuations.soon = false;
    this.#pausedMs = now;
    this.#politeFor = Math.max(1, this.#politeFor);
  }

  #look(): number {
    this.#lookedMs = this.#clock.monotonic();
    this.#justLooked = true;
    return this.#lookedMs;
  }

  /** Timers and I/O have had their turn. */
  readonly #newRound = (): void => {
    this.#inRound = false;
    this.#usedUp = false;
  };
}
