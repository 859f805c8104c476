/**
 * A step that sends a command: asked, told or sent; tried again by its policy, always under the same id.
 *
 * An ask is over with its reply, or with an error that is not tried again. A told command is over when it has a
 * durable outcome: a rejection, or a failure whose tries are used up, is a dead letter then, durable before the
 * step is.
 */
import { describeError, reasonOf } from '../actors/undeliverable.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Deadlines } from '../core/deadlines.js';
import { Envelope, type Post } from '../core/envelope.js';
import { isTroupeError, type TroupeError } from '../core/troupe-error.js';
import type { ParkedLetters } from '../reactions/parked-letters.js';
import { isOutage } from '../reactions/letter-error.js';
import type { AskGate } from './ask-gate.js';
import { nextTryMs, type RetryPolicy } from './retry-policy.js';
import { type CommandFacts, type CommandListener, SagaCommand } from './saga-command.js';
import type { BegunEntry } from './saga-entries.js';
import type { Step, StepOwner, StepWork } from './step.js';

/** What command steps take from the engine. */
export interface CommandSurroundings {
  readonly post: Post;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly letters: ParkedLetters;
}

/** What is sent, and how. */
export interface CommandPlan {
  readonly how: 'ask' | 'tell' | 'send';
  readonly facts: CommandFacts;
  readonly payload: unknown;
  readonly timeoutMs: number;
  readonly receipt: boolean;
  readonly policy: RetryPolicy;
  /** What asks pass on their way; undefined: nothing is limited. */
  readonly gate: AskGate | undefined;
  /** Resolves when commands may be sent; undefined: at once. */
  readonly ready: () => Promise<void> | undefined;
}

export class CommandStep implements StepWork, CommandListener {
  readonly kind = 'work';
  readonly plan: CommandPlan;
  readonly #around: CommandSurroundings;
  readonly #owner: StepOwner;
  #step: Step | undefined;
  #command: SagaCommand | undefined;
  /** Whether a try has passed the gate and not left it. */
  #inGate = false;
  #attempts = 0;
  #pause: Timer | undefined;
  #unwanted = false;
  #frozen = false;
  #abandoned = false;

  constructor(around: CommandSurroundings, owner: StepOwner, plan: CommandPlan) {
    this.#around = around;
    this.#owner = owner;
    this.plan = plan;
  }

  facts(): Pick<BegunEntry, 'due' | 'after'> {
    return {};
  }

  begin(step: Step): void {
    this.#step = step;
    this.#try();
  }

  giveUp(step: Step): void {
    // What was told has to have an outcome in any case.
    if (this.plan.how !== 'ask') return;
    this.#unwanted = true;
    if (this.#command === undefined || this.#pause !== undefined) {
      this.#pause?.cancel();
      this.#owner.released(step);
    }
  }

  freeze(step: Step): void {
    this.#frozen = true;
    if (this.#pause === undefined) return;
    this.#pause.cancel();
    this.#owner.released(step);
  }

  abandon(): void {
    this.#abandoned = true;
    this.#pause?.cancel();
  }

  taken(): void {
    if (this.#abandoned || this.plan.how !== 'send' || this.#step === undefined || this.#step.settled) return;
    this.#owner.finished(this.#step, { value: undefined });
  }

  replied(value: unknown, position: number, version: number): void {
    this.#leaveGate();
    if (this.#abandoned || this.#step === undefined) return;
    if (this.plan.how !== 'ask') {
      this.taken();
      this.#owner.told(this.#step);
    } else if (this.#unwanted) this.#owner.released(this.#step);
    else this.#owner.finished(this.#step, { value: this.plan.receipt ? { reply: value, position, version } : value });
  }

  failed(error: TroupeError): void {
    this.#leaveGate();
    const step = this.#step;
    if (this.#abandoned || step === undefined) return;
    const { how, policy } = this.plan;
    if (this.#unwanted) return this.#owner.released(step);
    if (!isOutage(error)) this.#attempts += 1;
    const waitMs = nextTryMs(policy, error, this.#attempts);
    if (this.#frozen && !isTroupeError(error, 'TROUPE_REJECTED')) return this.#owner.released(step);
    if (waitMs !== undefined) {
      this.#pause = this.#around.clock.setTimer(waitMs, () => {
        this.#pause = undefined;
        this.#try();
      });
    } else if (how === 'ask') this.#owner.finished(step, { error });
    else void this.#bury(step, error);
  }

  #try(): void {
    const { ready } = this.plan;
    const wait = ready();
    if (wait === undefined) this.#pass();
    else void wait.then(() => this.#pass());
  }

  #pass(): void {
    const { gate, how, facts } = this.plan;
    const wait = how === 'ask' ? gate?.enter(facts.target, facts.targetId) : undefined;
    this.#inGate = how === 'ask' && gate !== undefined;
    if (wait === undefined) this.#send();
    else void wait.then(() => this.#send());
  }

  #leaveGate(): void {
    if (!this.#inGate) return;
    this.#inGate = false;
    const { gate, facts } = this.plan;
    gate?.leave(facts.target, facts.targetId);
  }

  #send(): void {
    if (this.#abandoned || this.#step === undefined) return this.#leaveGate();
    if (this.#unwanted || this.#frozen) {
      this.#leaveGate();
      return this.#owner.released(this.#step);
    }
    const { facts, payload, timeoutMs, how } = this.plan;
    const command = new SagaCommand(facts, this, timeoutMs, how === 'ask');
    this.#command = command;
    this.#around.post.deliver(new Envelope(facts.target, facts.targetId, facts.type, payload, command));
    if (how === 'ask' && !command.settled) this.#around.deadlines.add(command, timeoutMs);
  }

  /** Nobody awaits it: its failure is a dead letter. */
  async #bury(step: Step, error: TroupeError): Promise<void> {
    const { facts, payload, how } = this.plan;
    const { commandId, correlationId, causationId, metadata } = facts;
    const { letters } = this.#around;
    letters.add(
      {
        // A redelivery fails again: that is the same letter.
        id: `${isTroupeError(error, 'TROUPE_REJECTED') ? 'rejected' : 'failed'}>${commandId}`,
        reason: reasonOf(error),
        target: { name: facts.target, id: facts.targetId },
        type: facts.type,
        payload,
        error: describeError(error),
      },
      { commandId, correlationId, causationId, metadata },
    );
    try {
      await letters.flushed();
    } catch {
      // It stays in memory and is written later; the command isn't sent again for that.
    }
    if (this.#abandoned) return;
    if (how === 'send' && !step.settled) this.#owner.finished(step, { error });
    this.#owner.told(step);
  }
}
