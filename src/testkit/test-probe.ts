/**
 * A test probe: collects what a source tells, and lets a test wait for the next one of a kind, with a deadline.
 *
 * Values are taken in the order they came; what a test skips can still be taken later. Nothing is forgotten: a probe is
 * for tests, which end. The source may be `system.events`, `system.deadLetters`, any Observable, or a probe actor.
 */
import { AssertionError } from 'node:assert';
import type { Observable } from 'rxjs';
import { type Clock, systemClock, type Timer } from '../core/clock.js';
import { type Duration, parseDuration } from '../core/duration.js';
import { showCause } from '../core/show-value.js';
import { shown } from './difference.js';
import { messagesOf, type ProbeRef } from './probe-messages.js';
import type { ReceivedMessage } from './probe-actor.js';

/** What a probe can collect from: an RxJS Observable, or whatever can be subscribed to like one. */
export interface ProbeSource<T> {
  subscribe(observer: { next(value: T): void; error(error: unknown): void; complete(): void }): { unsubscribe(): void };
}

export interface ProbeOptions {
  /** Measures the deadlines. Default: the machine's; with a `ManualClock` a test says when time is up. */
  readonly clock?: Clock;
}

/** For what a probe waits, and how long. */
export interface Waiting<T> {
  /** How long at most. Default 1 s. */
  readonly within?: Duration;
  /** Only such a value. Default: any. */
  readonly where?: (value: T) => boolean;
}

/** Types that values may have; none where values have no type. */
type TypeOf<T> = T extends { readonly type: infer Type extends string } ? Type : never;

interface Wait<T> {
  readonly where: (value: T) => boolean;
  readonly timer: Timer;
  take(value: T): void;
  giveUp(why: string): void;
}

const WITHIN_MS = 1_000;

/**
 * Collects values and waits for them.
 *
 * @example
 * const probe = TestProbe.of(system.events);
 * await system.ref(order, '42').ask('create', input);
 * const shipped = await probe.expectEvent('order.shipped', { within: '2s' });
 * await probe.expectNone({ within: '50ms', where: (event) => event.type === 'order.cancelled' });
 * probe.stop();
 */
export class TestProbe<T> {
  readonly #clock: Clock;
  readonly #received: T[] = [];
  /** Values that no wait has taken, in the order they came. */
  readonly #left = new Set<{ readonly value: T }>();
  readonly #waits = new Set<Wait<T>>();
  #ended: string | undefined;
  #subscription: { unsubscribe(): void } | undefined;

  private constructor(source: ProbeSource<T>, clock: Clock) {
    this.#clock = clock;
    this.#subscription = source.subscribe({
      next: (value) => this.#collect(value),
      error: (error) => this.#end(`the source failed: ${showCause(error)}`),
      complete: () => this.#end('the source has ended'),
    });
  }

  /** A probe of an Observable; it collects from now on. */
  static of<T>(source: Observable<T>, options?: ProbeOptions): TestProbe<T>;
  static of<T>(source: ProbeSource<T>, options?: ProbeOptions): TestProbe<T>;
  static of<T>(source: ProbeSource<T>, options: ProbeOptions = {}): TestProbe<T> {
    return new TestProbe(source, options.clock ?? systemClock);
  }

  /** A probe of an actor made by `probeActor`: collects what that has got, and what it gets. */
  static ofActor(ref: ProbeRef, options: ProbeOptions = {}): TestProbe<ReceivedMessage> {
    return new TestProbe(messagesOf(ref), options.clock ?? systemClock);
  }

  /** Everything collected so far, taken or not. */
  get received(): readonly T[] {
    return this.#received;
  }

  /**
   * The first value, collected already or to come, that fits and was not taken before; it is taken by this.
   *
   * @throws an `AssertionError` that shows what came instead, when none has come in time or the source has ended.
   */
  next(waiting: Waiting<T> = {}): Promise<T> {
    return this.#wait('a value', waiting);
  }

  /** The same for the next value of one type: of an event, a dead letter, or a message to a probe actor. */
  expectEvent(type: TypeOf<T>, waiting: Waiting<T> = {}): Promise<T> {
    const { where = always } = waiting;
    return this.#wait(type, { ...waiting, where: (value) => typeOf(value) === type && where(value) });
  }

  /**
   * That nothing that fits is left, and nothing comes within the time.
   *
   * @throws an `AssertionError` that shows what did come.
   */
  async expectNone(waiting: Waiting<T> = {}): Promise<void> {
    let found: T;
    try {
      found = await this.#wait('a value', waiting);
    } catch {
      return;
    }
    throw new AssertionError({ message: `nothing was expected, but this came\n${shown(found)}`, actual: found });
  }

  /** Collects no more. A second call does nothing. */
  stop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#end('the probe has been stopped');
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #collect(value: T): void {
    this.#received.push(value);
    for (const wait of this.#waits) {
      if (!wait.where(value)) continue;
      wait.take(value);
      return;
    }
    this.#left.add({ value });
  }

  #wait(what: string, { within, where = always }: Waiting<T>): Promise<T> {
    const withinMs = within === undefined ? WITHIN_MS : parseDuration(within, 'TestProbe: option "within"');
    for (const one of this.#left) {
      if (!where(one.value)) continue;
      this.#left.delete(one);
      return Promise.resolve(one.value);
    }
    return new Promise((resolve, reject) => {
      const giveUp = (why: string): void => reject(this.#nothingCame(what, why));
      if (this.#ended !== undefined) return giveUp(this.#ended);
      const settle = (): void => {
        wait.timer.cancel();
        this.#waits.delete(wait);
      };
      const wait: Wait<T> = {
        where,
        timer: this.#clock.setTimer(withinMs, () => wait.giveUp(`within ${withinMs} ms`)),
        take: (value) => {
          settle();
          resolve(value);
        },
        giveUp: (why) => {
          settle();
          giveUp(why);
        },
      };
      this.#waits.add(wait);
    });
  }

  #end(why: string): void {
    this.#ended ??= why;
    for (const wait of this.#waits) wait.giveUp(why);
  }

  #nothingCame(what: string, why: string): AssertionError {
    const left = Array.from(this.#left, ({ value }) => shown(typeOf(value) ?? value));
    const others = left.length === 0 ? 'nothing else came' : `not taken so far:\n${left.slice(-20).join('\n')}`;
    return new AssertionError({ message: `${what} was expected, but has not come (${why}); ${others}` });
  }
}

function always(): boolean {
  return true;
}

function typeOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
}
