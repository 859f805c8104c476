/**
 * The source of a safe Observable: values go to all subscribers, synchronously and in order, whatever one of them
 * does.
 *
 * A value sent from within a subscriber waits until the one before has reached everybody, so that all subscribers
 * see the same order. `system.events` and `system.deadLetters` stand on it.
 */
import { type Observable, Subject } from 'rxjs';
import { type Clock, systemClock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { SafeObservable, type SubscriberCare } from './safe-observable.js';
import { ThrottledLog } from './throttled-log.js';

export class SafeSubject<T> implements SubscriberCare {
  readonly #subject = new Subject<T>();
  readonly #safe$: Observable<T>;
  readonly #name: string;
  readonly #log: ThrottledLog;
  readonly #waiting: T[] = [];
  #sending = false;
  #emitted = 0;
  #errors = 0;

  /** @param name stands in log lines: whose subscriber it was that threw. */
  constructor(log: Logger, name: string, clock: Clock = systemClock) {
    this.#name = name;
    this.#log = new ThrottledLog(log, clock, 'error');
    this.#safe$ = new SafeObservable<T>(this, (subscriber) => this.#subject.subscribe(subscriber));
  }

  /** Values sent since the start. */
  get emitted(): number {
    return this.#emitted;
  }

  /** Exceptions of subscribers since the start. */
  get errors(): number {
    return this.#errors;
  }

  /** Whether anybody is subscribed. */
  get observed(): boolean {
    return this.#subject.observed;
  }

  asObservable(): Observable<T> {
    return this.#safe$;
  }

  next(value: T): void {
    if (this.#sending) {
      this.#waiting.push(value);
      return;
    }
    this.#sending = true;
    this.#send(value);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#send(next);
    this.#sending = false;
  }

  /** No value comes after this. */
  complete(): void {
    this.#subject.complete();
    this.#log.close();
  }

  caught(error: unknown): void {
    this.#errors += 1;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#log.write('', `a subscriber of ${this.#name} threw; it stays subscribed: ${text}`, { error });
  }

  #send(value: T): void {
    this.#emitted += 1;
    this.#subject.next(value);
  }
}
