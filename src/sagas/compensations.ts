/**
 * What undoes a saga: the compensations registered so far, run last first, one at a time.
 *
 * Each is tried until it succeeds; what it did before a failure is not done again, because its steps have their own
 * numbers and their successes are journaled. One that is rejected, or whose tries are used up, is parked: a dead
 * letter in the same write, and the earlier ones still run.
 */
import type { Timer } from '../core/clock.js';
import { asTroupeError, isOutage } from '../reactions/letter-error.js';
import type { History } from './saga-entries.js';
import { toWireError } from '../core/wire-error.js';
import { nextTryMs, type RetryPolicy } from './retry-policy.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { SagaRun } from './saga-run.js';

/** One registered compensation. */
export interface Compensation {
  /** From 0, in the order of registration. */
  readonly index: number;
  readonly name: string;
  readonly fn: () => unknown;
  readonly policy: RetryPolicy;
}

export class Compensations {
  readonly #around: RunSurroundings;
  readonly #run: SagaRun;
  #registered: Compensation[] = [];
  readonly #done = new Set<number>();
  readonly #parked = new Set<number>();
  #frozen = false;
  #running: number | undefined;
  #refusedId: string | undefined;
  #lastRefusedId: string | undefined;
  #pause: { readonly timer: Timer; readonly end: () => void } | undefined;

  constructor(around: RunSurroundings, run: SagaRun, history: History) {
    this.#around = around;
    this.#run = run;
    for (const [index, entry] of history.compensations) ('compensated' in entry ? this.#done : this.#parked).add(index);
  }

  /** Number of the one that runs. */
  get running(): number | undefined {
    return this.#running;
  }

  /** The id of the command that was rejected when it was parked, if a person has asked to repeat that. */
  get refusedId(): string | undefined {
    return this.#refusedId;
  }

  /** A command of the one that runs was rejected. */
  refused(commandId: string): void {
    this.#lastRefusedId = commandId;
  }

  register(compensation: Omit<Compensation, 'index'>): void {
    this.#registered.push({ ...compensation, index: this.#registered.length });
  }

  /** The last one that is parked. */
  get parked(): number | undefined {
    return [...this.#parked].at(-1);
  }

  /** All that are parked, in the order of parking. */
  get allParked(): readonly number[] {
    return [...this.#parked];
  }

  clear(): void {
    this.#registered = [];
    this.#done.clear();
    this.#parked.clear();
  }

  freeze(): void {
    this.#frozen = true;
    this.#pause?.timer.cancel();
    this.#pause?.end();
  }

  /** Runs all that have not run; false: the system has stopped before. */
  async run(): Promise<boolean> {
    for (const compensation of [...this.#registered].reverse()) {
      const { index } = compensation;
      if (this.#done.has(index) || this.#parked.has(index)) continue;
      if (!(await this.#runOne(compensation))) return false;
    }
    return !this.#frozen;
  }

  /** Runs a parked one again. @param refusedId the id of the command that was rejected, if that was the reason */
  async retry(index: number, letterId: string, refusedId: string | undefined): Promise<void> {
    const compensation = this.#registered[index];
    this.#refusedId = refusedId;
    if (compensation !== undefined) await this.#runOne(compensation, letterId);
    this.#refusedId = undefined;
  }

  /** @param letterId undefined: its letter is gone already */
  discard(index: number, letterId: string | undefined): void {
    const name = this.#registered[index]?.name ?? '';
    this.#settle(index, name, letterId, true);
  }

  /** False: the system has stopped before it was over. */
  async #runOne(compensation: Compensation, letterId?: string): Promise<boolean> {
    const { index, name, fn, policy } = compensation;
    const run = this.#run;
    for (let attempts = 1; ; attempts += 1) {
      if (this.#frozen) return false;
      this.#running = index;
      this.#lastRefusedId = undefined;
      run.steps.renumber();
      try {
        await fn();
        await run.steps.quiet();
        this.#leave();
        this.#settle(index, name, letterId, false);
        return !this.#frozen;
      } catch (error) {
        if (this.#frozen) return false;
        const refusedId = this.#lastRefusedId;
        this.#leave();
        if (isOutage(error)) attempts -= 1;
        const waitMs = nextTryMs(policy, error, attempts);
        if (waitMs === undefined) {
          this.#park(index, name, error, refusedId);
          return true;
        }
        await this.#wait(waitMs);
      }
    }
  }

  #leave(): void {
    this.#run.steps.abandon();
    this.#running = undefined;
  }

  #settle(index: number, name: string, letterId: string | undefined, discarded: boolean): void {
    const { letters, clock } = this.#around;
    this.#parked.delete(index);
    this.#done.add(index);
    const { pen } = this.#run;
    pen.add({ compensated: index, name, at: clock.now(), ...(discarded ? { discarded } : {}) });
    pen.flush(letterId === undefined ? [] : [letters.erasure(letterId)]);
    if (letterId !== undefined) letters.forget(letterId);
  }

  #park(index: number, name: string, thrown: unknown, refusedId: string | undefined): void {
    const { pen, key } = this.#run;
    const error = asTroupeError(thrown, `saga ${key}: compensation ${name}`);
    this.#parked.add(index);
    const letter = this.#around.letterOf(this.#run, index, name, error, refusedId);
    pen.add({ parked: index, name, at: this.#around.clock.now(), error: toWireError(error) });
    pen.flush(letter.record);
    letter.keep();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: this.#around.clock.setTimer(ms, end), end };
    });
  }
}
