/**
 * A family: the children of one supervisor, and what it does when one of them fails.
 *
 * Judging is pure (`supervision/`); here the verdict becomes orders to the children and a timer for the backoff.
 * Everything is told by signals, so a supervisor never waits for a child, and a child may be on another thread.
 * One-for-one counts the restarts of each child, the other strategies those of the whole family.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { NO_RESTARTS, type RestartHistory } from '../supervision/restart-window.js';
import { concerned } from '../supervision/strategy.js';
import { judge, type Policy } from '../supervision/verdict.js';
import { type InstanceAddress, keyOf, type Ordinal, type Report, type SignalPost } from './signal.js';

/** What supervising takes from the thread. */
export interface FamilySurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly signals: SignalPost;
  /** From 0 (inclusive) to 1 (exclusive); for the jitter. */
  random(): number;
  /** A number that no child has had before. */
  newOrdinal(): Ordinal;
}

/** Takes over what this supervisor can't deal with: its own supervisor, in the end the guardian. */
export type Escalate = (error: unknown, child: InstanceAddress) => void;

interface Child {
  readonly ordinal: Ordinal;
  readonly address: InstanceAddress;
  /** Which life of it is under way, from 1. */
  life: number;
  history: RestartHistory;
  /** Told to halt, and not yet to begin again. */
  restarting: boolean;
  /** Failed, and left as it is until this supervisor knows what becomes of itself. */
  escalated: boolean;
}

type FailedReport = Extract<Report, { kind: 'child-failed' }>;

export class ActorFamily {
  readonly #around: FamilySurroundings;
  readonly #policy: Policy;
  readonly #escalate: Escalate;
  /** In the order spawned. */
  readonly #children = new Map<Ordinal, Child>();
  readonly #backoffs = new Set<Timer>();
  #groupHistory = NO_RESTARTS;
  #ending: { readonly ordinal: Ordinal; readonly ended: () => void } | undefined;
  #closed = false;

  constructor(around: FamilySurroundings, policy: Policy, escalate: Escalate) {
    this.#around = around;
    this.#policy = policy;
    this.#escalate = escalate;
  }

  get size(): number {
    return this.#children.size;
  }

  /** The living children, in the order spawned. */
  addresses(): InstanceAddress[] {
    return Array.from(this.#children.values(), (child) => child.address);
  }

  /** Takes a child in, and returns the ordinal by which it reports. */
  add(address: InstanceAddress): Ordinal {
    const ordinal = this.#around.newOrdinal();
    this.#children.set(ordinal, {
      ordinal,
      address,
      life: 1,
      history: NO_RESTARTS,
      restarting: false,
      escalated: false,
    });
    return ordinal;
  }

  take(report: Report): void {
    const child = this.#children.get(report.child);
    if (child === undefined) return;
    if (report.kind === 'child-failed') this.#failed(child, report);
    else this.#ended(child);
  }

  /** The supervisor goes on after a failure that it had escalated: so do the children that failed with it. */
  resumeEscalated(): void {
    for (const child of this.#children.values()) {
      if (!child.escalated) continue;
      child.escalated = false;
      this.#around.signals.signal(child.address, { kind: 'resume' });
    }
  }

  /** Stops all children, the last one first, each after the one before it has ended. */
  async stopAll(): Promise<void> {
    this.close();
    const children = [...this.#children.values()];
    for (let last = children.pop(); last !== undefined; last = children.pop()) {
      const { ordinal, address } = last;
      if (!this.#children.has(ordinal)) continue;
      await new Promise<void>((ended) => {
        this.#ending = { ordinal, ended };
        this.#around.signals.signal(address, { kind: 'stop' });
      });
    }
  }

  /** No child is restarted from now on. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#backoffs) timer.cancel();
    this.#backoffs.clear();
  }

  #ended(child: Child): void {
    this.#children.delete(child.ordinal);
    if (this.#ending?.ordinal !== child.ordinal) return;
    const { ended } = this.#ending;
    this.#ending = undefined;
    ended();
  }

  #failed(child: Child, report: FailedReport): void {
    // A life that is over has nothing to say; one that is about to be replaced needs no second verdict.
    if (this.#closed || child.restarting || report.life !== child.life) return;
    const { clock, log } = this.#around;
    const alone = this.#policy.strategy === 'one-for-one';
    const history = alone ? child.history : this.#groupHistory;
    const verdict = judge(this.#policy, report, history, { nowMs: clock.monotonic(), random: this.#around.random() });
    const key = keyOf(child.address);
    const fields = { error: report.error };
    switch (verdict.directive) {
      case 'resume':
        log.warn(`${key} failed, and goes on`, fields);
        this.#around.signals.signal(child.address, { kind: 'resume' });
        return;
      case 'stop':
        log.error(`${key} failed, and is stopped`, fields);
        this.#tellReversed(this.#concerned(child), { kind: 'stop' });
        return;
      case 'restart':
        log.warn(`${key} failed, and begins again in ${Math.round(verdict.delayMs)} ms`, fields);
        if (alone) child.history = verdict.history;
        else this.#groupHistory = verdict.history;
        this.#restart(this.#concerned(child), verdict.delayMs);
        return;
      case 'escalate':
        log.error(`${key} failed, and its supervisor with it: ${verdict.because}`, fields);
        child.escalated = true;
        this.#escalate(report.error, child.address);
        return;
    }
  }

  #concerned(failed: Child): readonly Child[] {
    if (this.#policy.strategy === 'one-for-one') return [failed];
    return concerned(this.#policy.strategy, [...this.#children.values()], failed);
  }

  /** Ends the lives of all that are concerned, the last one first; after the wait they begin again, the first one first. */
  #restart(group: readonly Child[], delayMs: number): void {
    const halted = group.filter((child) => !child.restarting);
    for (const child of halted) child.restarting = true;
    this.#tellReversed(halted, { kind: 'halt' });
    const timer = this.#around.clock.setTimer(delayMs, () => {
      this.#backoffs.delete(timer);
      for (const child of halted) {
        child.restarting = false;
        child.life += 1;
        this.#around.signals.signal(child.address, { kind: 'begin' });
      }
    });
    this.#backoffs.add(timer);
  }

  #tellReversed(group: readonly Child[], order: { readonly kind: 'stop' } | { readonly kind: 'halt' }): void {
    for (const child of [...group].reverse()) this.#around.signals.signal(child.address, order);
  }
}
