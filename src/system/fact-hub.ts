/**
 * The facts of all threads, in one place: told to the subscribers of `system.facts`, and counted for `metrics()`.
 *
 * Workers count for themselves, and send their facts only while somebody is subscribed. What a lost worker had counted
 * stays in the sum.
 */
import type { Clock } from '../core/clock.js';
import { type FactCounts, Facts, noFacts } from '../core/facts.js';
import type { Logger } from '../core/logger.js';
import type { RuntimeFact, RuntimeFactKind } from '../core/runtime-fact.js';
import { SafeObservable } from '../streams/safe-observable.js';
import { SafeSubject } from '../streams/safe-subject.js';

/** A fact with its time and its thread: 0 is the one that started the system, workers count from 1. */
export type SystemFact = RuntimeFact & {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly thread: number;
};

export class FactHub {
  /** Those of this thread. */
  readonly here: Facts;
  readonly #clock: Clock;
  readonly #subject: SafeSubject<SystemFact>;
  readonly #lost = noFacts();
  #subscribers = 0;
  #onWanted: ((wanted: boolean) => void) | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.here = new Facts(log);
    this.#subject = new SafeSubject<SystemFact>(log, 'facts', clock);
  }

  /** Whether anybody is subscribed. */
  get wanted(): boolean {
    return this.#subscribers > 0;
  }

  /** Called when the first one subscribes, and when the last one has left. */
  onWanted(changed: (wanted: boolean) => void): void {
    this.#onWanted = changed;
  }

  asObservable(): SafeObservable<SystemFact> {
    return new SafeObservable<SystemFact>(this.#subject, (subscriber) => {
      const subscription = this.#subject.asObservable().subscribe(subscriber);
      this.#count(1);
      return () => {
        subscription.unsubscribe();
        this.#count(-1);
      };
    });
  }

  /** Facts of a worker. */
  receive(thread: number, facts: readonly RuntimeFact[]): void {
    const at = this.#clock.now();
    for (const fact of facts) this.#subject.next({ ...fact, at, thread });
  }

  /** What a worker had counted when it was lost. */
  keep(counts: FactCounts): void {
    addFacts(this.#lost, counts);
  }

  /** Counts of this thread, of these workers, and of those lost. */
  counts(workers: Iterable<FactCounts>): FactCounts {
    const sum = { ...this.#lost };
    addFacts(sum, this.here.counts);
    for (const counts of workers) addFacts(sum, counts);
    return sum;
  }

  /** No fact comes after this. */
  complete(): void {
    this.here.listen(undefined);
    this.#subject.complete();
  }

  #count(change: 1 | -1): void {
    const before = this.wanted;
    this.#subscribers += change;
    if (before === this.wanted) return;
    this.here.listen(
      this.wanted ? (fact) => this.#subject.next({ ...fact, at: this.#clock.now(), thread: 0 }) : undefined,
    );
    this.#onWanted?.(this.wanted);
  }
}

function addFacts(sum: Record<RuntimeFactKind, number>, counts: FactCounts): void {
  // The keys of a record of kinds are kinds.
  for (const kind of Object.keys(sum) as RuntimeFactKind[]) sum[kind] += counts[kind];
}
