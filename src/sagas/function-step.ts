/**
 * A step that runs a function of the user: any asynchronous work, tried again by its policy.
 *
 * Each try has a signal that aborts when its time is up, when the saga is cancelled and when the system stops.
 */
import type { Clock, Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import { TroupeError } from '../core/troupe-error.js';
import { nextTryMs, type RetryPolicy } from './retry-policy.js';
import type { BegunEntry } from './saga-entries.js';
import type { StepCall } from './saga-context.js';
import type { Step, StepOwner, StepWork } from './step.js';

export interface FunctionPlan {
  /** Of the step, for people. */
  readonly where: string;
  readonly id: string;
  readonly fn: (call: StepCall) => unknown;
  readonly timeoutMs: number;
  readonly policy: RetryPolicy;
}

export class FunctionStep implements StepWork {
  readonly kind = 'work';
  readonly #clock: Clock;
  readonly #owner: StepOwner;
  readonly #plan: FunctionPlan;
  #attempts = 0;
  #abort = new AbortController();
  #pause: Timer | undefined;
  #running = false;
  #unwanted = false;
  #frozen = false;
  #over = false;

  constructor(clock: Clock, owner: StepOwner, plan: FunctionPlan) {
    this.#clock = clock;
    this.#owner = owner;
    this.#plan = plan;
  }

  facts(): Pick<BegunEntry, 'due' | 'after'> {
    return {};
  }

  begin(step: Step): void {
    void this.#try(step);
  }

  giveUp(step: Step): void {
    this.#unwanted = true;
    this.#abort.abort(new TroupeError('TROUPE_SAGA_CANCELLED', `${this.#plan.where}: the saga has been stopped`));
    if (!this.#running) return this.#release(step);
    // What doesn't obey its signal is left behind, rather than keep the compensations from running.
    this.#pause = this.#clock.setTimer(LIMITS.sagaStepEndMs, () => this.#release(step));
  }

  freeze(step: Step): void {
    this.#frozen = true;
    this.#abortStopped();
    if (!this.#running) this.#release(step);
  }

  abandon(): void {
    this.#over = true;
    this.#pause?.cancel();
    this.#abortStopped();
  }

  #abortStopped(): void {
    this.#abort.abort(
      new TroupeError('TROUPE_SYSTEM_STOPPED', `${this.#plan.where}: the system has stopped; the step runs again`),
    );
  }

  async #try(step: Step): Promise<void> {
    const { id, fn, policy } = this.#plan;
    this.#attempts += 1;
    this.#abort = new AbortController();
    this.#running = true;
    let error: unknown;
    try {
      const value = await this.#inTime(fn, { id, attempt: this.#attempts, signal: this.#abort.signal });
      if (!this.#ended(step)) this.#owner.finished(step, { value });
      return;
    } catch (thrown) {
      error = thrown;
    }
    if (this.#ended(step)) return;
    if (this.#frozen) return this.#release(step);
    const waitMs = nextTryMs(policy, error, this.#attempts);
    if (waitMs === undefined) return this.#owner.finished(step, { error });
    this.#pause = this.#clock.setTimer(waitMs, () => {
      this.#pause = undefined;
      void this.#try(step);
    });
  }

  /** Whether the outcome of a try concerns nobody any more. */
  #ended(step: Step): boolean {
    this.#running = false;
    if (this.#unwanted) this.#release(step);
    return this.#over;
  }

  #release(step: Step): void {
    if (this.#over) return;
    this.#over = true;
    this.#pause?.cancel();
    this.#owner.released(step);
  }

  async #inTime(fn: FunctionPlan['fn'], call: StepCall): Promise<unknown> {
    const { timeoutMs, where } = this.#plan;
    if (timeoutMs === Infinity) return fn(call);
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#clock.setTimer(timeoutMs, () => {
        const error = new TroupeError('TROUPE_SAGA_TIMEOUT', `${where} took longer than ${timeoutMs} ms`, {
          details: { timeoutMs },
        });
        this.#abort.abort(error);
        reject(error);
      });
    });
    try {
      return await Promise.race([Promise.resolve(fn(call)), late]);
    } finally {
      timer?.cancel();
    }
  }
}
