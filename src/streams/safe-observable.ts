/**
 * An Observable whose subscribers are isolated: one that throws is reported, stays subscribed, and harms nobody.
 *
 * RxJS throws what a subscriber throws on a new stack, which ends the process, and an error within an operator
 * ends the subscription, which nobody may notice. Here what `subscribe` is given is wrapped, also behind `pipe`:
 * a plain subscriber gets the next value as if nothing had happened; a pipe whose operator threw is subscribed
 * anew (its operators start over), unless the subscriber has an error handler: then it gets the error, as ever.
 * Combinations made by functions (`merge(a, b)`) are RxJS's own again.
 */
import { Observable, type Observer, type Operator, Subscriber, Subscription, type TeardownLogic } from 'rxjs';

/** Who hears of errors, and what has been sent. */
export interface SubscriberCare {
  /** An exception of a subscriber. It must not throw. */
  caught(error: unknown): void;
  /** Grows with each value of a hot source; undefined: the source is cold, and is never subscribed anew. */
  readonly emitted: number | undefined;
}

type Next<T> = (value: T) => unknown;

export class SafeObservable<T> extends Observable<T> {
  readonly #care: SubscriberCare;

  constructor(care: SubscriberCare, subscribe?: (this: Observable<T>, subscriber: Subscriber<T>) => TeardownLogic) {
    super(subscribe);
    this.#care = care;
  }

  /** Who hears of errors that nobody wants to hear of. */
  get care(): SubscriberCare {
    return this.#care;
  }

  /** What `pipe` is made of: the operator's result is as safe as its source. */
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new SafeObservable<R>(this.#care);
    lifted.source = this;
    lifted.operator = operator;
    return lifted;
  }

  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // Operators and RxJS itself subscribe with a Subscriber, which knows what to do with an error.
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const given: Partial<Observer<T>> =
      typeof observerOrNext === 'function' || observerOrNext == null
        ? asObserver(observerOrNext, error, complete)
        : observerOrNext;
    // A Subject that was handed in is called on itself, so no function is taken off its observer.
    const next = (value: T): void => {
      try {
        this.#watch(given.next?.(value));
      } catch (thrown) {
        this.#care.caught(thrown);
      }
    };
    const ended = (): void => this.#guard(() => given.complete?.());
    if (given.error !== undefined || this.operator === undefined || this.#care.emitted === undefined) {
      const failed = (reason: unknown): void => {
        if (given.error === undefined) this.#care.caught(reason);
        else this.#guard(() => given.error?.(reason));
      };
      return super.subscribe({ next, error: failed, complete: ended });
    }
    return this.#subscribeAnew(next, ended);
  }

  /** Subscribes again after each error, if at least one value has come since the last time. */
  #subscribeAnew(next: (value: T) => void, complete: () => void): Subscription {
    const whole = new Subscription();
    const connect = (): void => {
      const before = this.#care.emitted;
      const part = super.subscribe({
        next,
        complete: () => {
          complete();
          whole.unsubscribe();
        },
        error: (reason: unknown) => {
          this.#care.caught(reason);
          if (whole.closed) return;
          if (this.#care.emitted === before) whole.unsubscribe();
          else connect();
        },
      });
      whole.add(part);
    };
    connect();
    return whole;
  }

  #guard(call: () => unknown): void {
    try {
      this.#watch(call());
    } catch (thrown) {
      this.#care.caught(thrown);
    }
  }

  /** The rejection of an async subscriber counts as its exception. */
  #watch(result: unknown): void {
    if (isPromiseLike(result)) result.then(undefined, (error: unknown) => this.#care.caught(error));
  }
}

function asObserver<T>(
  next: Next<T> | null | undefined,
  error: ((error: unknown) => void) | null | undefined,
  complete: (() => void) | null | undefined,
): Partial<Observer<T>> {
  return {
    ...(next == null ? {} : { next }),
    ...(error == null ? {} : { error }),
    ...(complete == null ? {} : { complete }),
  };
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
