/** Those who watch how a build gets on: now, then at most every 100 ms, and once more when it is over. */
import type { Observable, Subscriber } from 'rxjs';
import type { Clock, Timer } from '../core/clock.js';
import { SafeObservable, type SubscriberCare } from '../streams/safe-observable.js';
import type { BuildProgress } from './build-progress.js';

const EVERY_MS = 100;

export class ProgressWatchers {
  readonly #care: SubscriberCare;
  readonly #clock: Clock;
  readonly #subscribers = new Set<Subscriber<BuildProgress>>();
  #progress: (() => BuildProgress | undefined) | undefined;
  #timer: Timer | undefined;

  constructor(care: SubscriberCare, clock: Clock) {
    this.#care = care;
    this.#clock = clock;
  }

  /** Completes when there is no build, or none any more. */
  watch(progress: () => BuildProgress | undefined): Observable<BuildProgress> {
    return new SafeObservable<BuildProgress>(this.#care, (subscriber) => {
      this.#progress = progress;
      const now = progress();
      if (now === undefined) {
        subscriber.complete();
        return undefined;
      }
      this.#subscribers.add(subscriber);
      subscriber.next(now);
      return () => this.#subscribers.delete(subscriber);
    });
  }

  /** The build has moved. */
  moved(): void {
    if (this.#subscribers.size === 0 || this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimer(
      EVERY_MS,
      () => {
        this.#timer = undefined;
        this.#tell(this.#progress?.());
      },
      true,
    );
  }

  /** The build is over; `last` says where it ended. */
  end(last?: BuildProgress): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#tell(last);
    for (const subscriber of this.#subscribers) subscriber.complete();
    this.#subscribers.clear();
  }

  #tell(progress: BuildProgress | undefined): void {
    if (progress !== undefined) for (const subscriber of this.#subscribers) subscriber.next(progress);
  }
}
