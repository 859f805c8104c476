/**
 * A family: the children of one supervisor, and what it does when one of them fails.
 *
 * Judging is pure (`supervision/`); here the verdict becomes orders to the children and a timer for the backoff.
 * Everything is told by signals, so a supervisor never waits for a child, and a child may be on another thread.
 * One-for-one counts the restarts of each child, the other strategies those of the whole family.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { FactSink } from '../core/runtime-fact.js';
import { NO_RESTARTS, type RestartHistory } from '../supervision/restart-window.js';
import { concerned } from '../supervision/strategy.js';
import { judge, type Policy } from '../supervision/verdict.js';
import type { InstanceAddress, Ordinal, Report, SignalPost } from './signal.js';

/** What supervising takes from the thread. */
export interface FamilySurroundings {
  readonly clock: Clock;
  /** Told of failures and what is done about them. */
  readonly facts: FactSink;
  readonly signals: SignalPost;
  /** From 0 (inclusive) to 1 (exclusive); for the jitter. */
  random(): number;
  /** A number that no child has had before. */
  newOrdinal(): Ordinal;
}

/** Takes over what this supervisor can't deal with: its own supervisor, in the end the guardian. */
export type Escalate = (error: unknown, child: InstanceAddress) => void;

/** What a supervisor remembers of a child that has failed; the others cost nothing but their place. */
interface Trouble {
  /** Which life of the child is under way, from 1. */
  life: number;
  history: RestartHistory;
  /** Told to halt, and not yet to begin again. */
  restarting: boolean;
  /** Failed, and left as it is until this supervisor knows what becomes of itself. */
  escalated: boolean;
}

type FailedReport = Extract<Report, { kind: 'child-failed' }>;

export class ActorFamily {
  /** The supervisor as its children know it: one object for all of them. */
  readonly owner: InstanceAddress | undefined;
  readonly #around: FamilySurroundings;
  readonly #policy: Policy;
  readonly #escalate: Escalate;
  /** In the order spawned. */
  readonly #children = new Map<Ordinal, InstanceAddress>();
  readonly #troubles = new Map<Ordinal, Trouble>();
  readonly #backoffs = new Set<Timer>();
  #groupHistory = NO_RESTARTS;
  #ending: { readonly ordinal: Ordinal; readonly ended: () => void } | undefined;
  #closed = false;

  constructor(around: FamilySurroundings, policy: Policy, escalate: Escalate, owner?: InstanceAddress) {
    this.owner = owner;
    this.#around = around;
    this.#policy = policy;
    this.#escalate = escalate;
  }

  /** Living children. */
  get size(): number {
    return this.#children.size;
  }

  /** The living children, in the order spawned. */
  addresses(): InstanceAddress[] {
    return [...this.#children.values()];
  }

  /** Takes a child in, and returns the ordinal by which it reports. */
  add(address: InstanceAddress): Ordinal {
    const ordinal = this.#around.newOrdinal();
    this.#children.set(ordinal, address);
    return ordinal;
  }

  /** The child of that ordinal, as long as it lives. */
  address(ordinal: Ordinal): InstanceAddress | undefined {
    return this.#children.get(ordinal);
  }

  /** A child is no longer there, and can't report it. */
  forget(ordinal: Ordinal): void {
    this.#ended(ordinal);
  }

  /** A child has begun anew with its worker: what was ordered of it is void, and its restarts stay counted. */
  replaced(ordinal: Ordinal): void {
    const trouble = this.#troubles.get(ordinal);
    if (trouble === undefined) return;
    this.#troubles.set(ordinal, { life: 1, history: trouble.history, restarting: false, escalated: false });
  }

  take(report: Report): void {
    const address = this.#children.get(report.child);
    if (address === undefined) return;
    if (report.kind === 'child-failed') this.#failed(address, report);
    else this.#ended(report.child);
  }

  /** The supervisor goes on after a failure that it had escalated: so do the children that failed with it. */
  resumeEscalated(): void {
    for (const [ordinal, trouble] of this.#troubles) {
      if (!trouble.escalated) continue;
      trouble.escalated = false;
      this.#order(ordinal, 'resume');
    }
  }

  /** Stops all children, the last one first, each after the one before it has ended. */
  async stopAll(): Promise<void> {
    this.close();
    const ordinals = [...this.#children.keys()];
    for (let last = ordinals.pop(); last !== undefined; last = ordinals.pop()) {
      const ordinal = last;
      if (!this.#children.has(ordinal)) continue;
      await new Promise<void>((ended) => {
        this.#ending = { ordinal, ended };
        this.#order(ordinal, 'stop');
      });
    }
  }

  /** No child is restarted from now on. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#backoffs) timer.cancel();
    this.#backoffs.clear();
  }

  #ended(ordinal: Ordinal): void {
    this.#children.delete(ordinal);
    this.#troubles.delete(ordinal);
    if (this.#ending?.ordinal !== ordinal) return;
    const { ended } = this.#ending;
    this.#ending = undefined;
    ended();
  }

  #failed(address: InstanceAddress, report: FailedReport): void {
    const trouble = this.#troubleOf(report.child);
    // A life that is over has nothing to say; one that is about to be replaced needs no second verdict.
    if (this.#closed || trouble.restarting || report.life !== trouble.life) return;
    const { clock, facts } = this.#around;
    const alone = this.#policy.strategy === 'one-for-one';
    const history = alone ? trouble.history : this.#groupHistory;
    const verdict = judge(this.#policy, report, history, { nowMs: clock.monotonic(), random: this.#around.random() });
    const { directive } = verdict;
    facts.tell({
      kind: 'failed',
      ...address,
      error: report.error,
      directive,
      delayMs: directive === 'restart' ? verdict.delayMs : 0,
      because: directive === 'escalate' ? verdict.because : '',
    });
    switch (verdict.directive) {
      case 'resume':
        return this.#order(report.child, 'resume');
      case 'stop':
        return this.#orderReversed(this.#concerned(report.child), 'stop');
      case 'restart':
        if (alone) trouble.history = verdict.history;
        else this.#groupHistory = verdict.history;
        return this.#restart(this.#concerned(report.child), verdict.delayMs);
      case 'escalate':
        trouble.escalated = true;
        return this.#escalate(report.error, address);
    }
  }

  #troubleOf(ordinal: Ordinal): Trouble {
    let trouble = this.#troubles.get(ordinal);
    if (trouble === undefined) {
      trouble = { life: 1, history: NO_RESTARTS, restarting: false, escalated: false };
      this.#troubles.set(ordinal, trouble);
    }
    return trouble;
  }

  #concerned(failed: Ordinal): readonly Ordinal[] {
    if (this.#policy.strategy === 'one-for-one') return [failed];
    return concerned(this.#policy.strategy, [...this.#children.keys()], failed);
  }

  /** Ends the lives of all that are concerned, the last one first; after the wait they begin again, the first one first. */
  #restart(group: readonly Ordinal[], delayMs: number): void {
    const halted = group.filter((ordinal) => !this.#troubleOf(ordinal).restarting);
    const troubles = halted.map((ordinal) => this.#troubleOf(ordinal));
    for (const trouble of troubles) trouble.restarting = true;
    this.#orderReversed(halted, 'halt');
    const timer = this.#around.clock.setTimer(delayMs, () => {
      this.#backoffs.delete(timer);
      for (const [index, ordinal] of halted.entries()) {
        // One that has ended meanwhile is gone from the tables, one that was replaced has begun already.
        const trouble = this.#troubles.get(ordinal);
        if (trouble === undefined || trouble !== troubles[index]) continue;
        trouble.restarting = false;
        trouble.life += 1;
        this.#order(ordinal, 'begin');
      }
    });
    this.#backoffs.add(timer);
  }

  #orderReversed(group: readonly Ordinal[], kind: 'stop' | 'halt'): void {
    for (const ordinal of group.toReversed()) this.#order(ordinal, kind);
  }

  #order(ordinal: Ordinal, kind: 'stop' | 'resume' | 'halt' | 'begin'): void {
    const address = this.#children.get(ordinal);
    if (address === undefined) return;
    this.#around.signals.signal(address, kind === 'stop' ? { kind } : { kind, child: ordinal });
  }
}
