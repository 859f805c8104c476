/**
 * The timers in memory: those that wake next, up to a horizon; all others are only in the journal.
 *
 * Up to the horizon (`#completeTo`) every timer of the journal is here, so the first one here is the first of all.
 * Behind it some may be here. It comes nearer when too many have been set, and goes further with what is loaded;
 * changes that were committed while a load was under way are applied again on top of it. Pure: no clock, no disk.
 */
import { TimeHeap } from '../core/time-heap.js';
import { isSameTimer, type StoredTimer, type TimerChange, timerKey } from '../journal/timer-change.js';

export class TimerHorizon {
  readonly #room: number;
  /** The newest timer known of each owner and name; one that is no longer here has lost its place to a newer one. */
  readonly #current = new Map<string, StoredTimer>();
  /** Timers that are not current any more leave when they come to its top. */
  readonly #heap = new TimeHeap<StoredTimer>(({ wakeAt }) => wakeAt);
  readonly #firing = new Map<string, StoredTimer>();
  #completeTo = -Infinity;
  #duringLoad: TimerChange[] | undefined;

  /** @param room timers to keep in memory; twice as many at most */
  constructor(room: number) {
    this.#room = room;
  }

  /** Timers in memory that wait, at most so many. */
  get size(): number {
    return this.#heap.size;
  }

  get firing(): number {
    return this.#firing.size;
  }

  /** Whether timers behind the horizon should be loaded. */
  get wantsMore(): boolean {
    return this.#duringLoad === undefined && this.#completeTo < Infinity && this.#heap.size < this.#room / 4;
  }

  /** The time at which the first one wakes. */
  get nextAt(): number | undefined {
    return this.#top()?.wakeAt;
  }

  /** The first one, if it is due; from now on it counts as firing, until `fired`. */
  takeDue(now: number): StoredTimer | undefined {
    const first = this.#top();
    if (first === undefined || first.wakeAt > now) return undefined;
    this.#heap.pop();
    this.#firing.set(identityOf(first), first);
    return first;
  }

  /** A timer has fired, and what became of it is durable. */
  fired(timer: StoredTimer): void {
    this.#firing.delete(identityOf(timer));
    const key = timerKey(timer);
    if (this.#current.get(key) === timer) this.#current.delete(key);
  }

  /** Changes that have been committed. */
  changed(changes: readonly TimerChange[]): void {
    this.#duringLoad?.push(...changes);
    for (const change of changes) this.#apply(change);
    if (this.#heap.size > 2 * this.#room) this.#comeNearer();
  }

  /** What is known of the journal may be wrong: everything is to be loaded again. */
  forget(): void {
    for (const [key, timer] of this.#current) if (!this.#firing.has(identityOf(timer))) this.#current.delete(key);
    this.#heap.clear();
    this.#completeTo = -Infinity;
    // A load under way may have read what is wrong.
    this.#duringLoad = undefined;
  }

  /** Begins a load: how many timers, in order of time, to read from the beginning. */
  beginLoad(): number {
    this.#duringLoad = [];
    return this.#room + this.#firing.size;
  }

  /** The load has failed. */
  abandonLoad(): void {
    this.#duringLoad = undefined;
  }

  /** What was read with `limit`; false when it is void because of a `forget` meanwhile. */
  loaded(timers: readonly StoredTimer[], limit: number): boolean {
    const changes = this.#duringLoad;
    if (changes === undefined) return false;
    this.#duringLoad = undefined;
    for (const timer of timers) {
      const known = this.#current.get(timerKey(timer));
      if (known !== undefined && isSameTimer(known, timer)) continue;
      if (!this.#firing.has(identityOf(timer))) this.#put(timer);
    }
    const last = timers.at(-1);
    // Of those that wake with the last one some may not have been read.
    const read = timers.length < limit || last === undefined ? Infinity : last.wakeAt - 1;
    this.#completeTo = Math.max(this.#completeTo, read);
    for (const change of changes) this.#apply(change);
    return true;
  }

  #apply(change: TimerChange): void {
    switch (change.kind) {
      case 'set':
        this.#replace(change.timer);
        return;
      case 'cleared':
        this.#current.delete(timerKey(change));
        return;
      case 'ended':
        if (this.#isCurrent(change.timer)) this.#current.delete(timerKey(change.timer));
        return;
      case 'moved':
        if (this.#isCurrent(change.timer)) this.#replace(change.to);
        return;
    }
  }

  #replace(timer: StoredTimer): void {
    // A load has read it already, and now comes the news of its commit.
    if (this.#isCurrent(timer)) return;
    this.#current.delete(timerKey(timer));
    if (timer.wakeAt <= this.#completeTo) this.#put(timer);
  }

  #isCurrent(timer: StoredTimer): boolean {
    const known = this.#current.get(timerKey(timer));
    return known !== undefined && isSameTimer(known, timer);
  }

  #comeNearer(): void {
    this.#heap.keepOnly((timer) => this.#waits(timer));
    const { last, beyond } = this.#heap.cutTo(this.#room);
    if (beyond.length === 0 || last === undefined) return;
    for (const timer of beyond) this.#current.delete(timerKey(timer));
    this.#completeTo = last.wakeAt - 1;
  }

  /** What is loaded and changed at the same time may be in the heap twice; the second time it is firing already. */
  #waits(timer: StoredTimer): boolean {
    return this.#current.get(timerKey(timer)) === timer && !this.#firing.has(identityOf(timer));
  }

  #top(): StoredTimer | undefined {
    for (;;) {
      const first = this.#heap.peek();
      if (first === undefined || this.#waits(first)) return first;
      this.#heap.pop();
    }
  }

  #put(timer: StoredTimer): void {
    this.#current.set(timerKey(timer), timer);
    this.#heap.push(timer);
  }
}

function identityOf(timer: StoredTimer): string {
  return `${timerKey(timer)}\0${timer.setting}\0${timer.wakeAt}`;
}
