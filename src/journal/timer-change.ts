/**
 * Timers as the journal keeps them: small rows by owner and name, found by the time at which they wake.
 *
 * Changes are written with a commit, all or none, so a timer can be set or ended together with the events and
 * records that it belongs to. A conditional change (`ended`, `moved`) hits the timer that its author saw and never
 * one that was set in its place meanwhile: that is what keeps a timer from being lost between firing and setting.
 */

/** A timer in the journal. */
export interface StoredTimer {
  /** Whose it is: a kind and a name, such as `saga>fulfil-order/42`. */
  readonly owner: string;
  /** Unique for its owner: setting a name again replaces the timer. */
  readonly name: string;
  /** Tells apart two timers that had this name one after the other: any text that isn't used again for it. */
  readonly setting: string;
  /** Epoch milliseconds, whole. */
  readonly wakeAt: number;
  /** JSON text of what the owner wants to know then. */
  readonly body: string;
}

/** One change of a timer. */
export type TimerChange =
  /** Sets it, in place of any other of this owner and name. */
  | { readonly kind: 'set'; readonly timer: StoredTimer }
  /** Takes it away, whichever it is. */
  | { readonly kind: 'cleared'; readonly owner: string; readonly name: string }
  /** Takes it away if it is still this one. */
  | { readonly kind: 'ended'; readonly timer: StoredTimer }
  /** Sets `to` in its place if it is still this one. */
  | { readonly kind: 'moved'; readonly timer: StoredTimer; readonly to: StoredTimer };

/** What `readTimers` selects, in order of `wakeAt`. */
export interface TimerQuery {
  /** Only those of this owner. */
  readonly owner?: string | undefined;
  /** Only those that wake at this time or later. */
  readonly from?: number | undefined;
  /** Upper bound of the number of timers. */
  readonly limit: number;
}

/** Told of the timers of each commit, in order; undefined: a commit failed, and what the journal has is to be read anew. */
export type TimerListener = (changes: readonly TimerChange[] | undefined) => void;

/** Owner and name as one text. */
export function timerKey({ owner, name }: { readonly owner: string; readonly name: string }): string {
  return `${owner}\0${name}`;
}

/**
 * Adds a change to those of one commit: of what is set and cleared the last one is left for each timer. A conditional
 * change is about one setting, and says nothing about what the same commit has set or cleared before it.
 */
export function addTimerChange(changes: Map<string, TimerChange>, change: TimerChange): void {
  const key = timerKey(change.kind === 'cleared' ? change : change.timer);
  if (change.kind === 'set' || change.kind === 'cleared') changes.set(key, change);
  else if (!changes.has(key)) changes.set(`${key}\0${change.timer.setting}\0${change.timer.wakeAt}`, change);
}

/** Whether two are the same setting at the same time. */
export function isSameTimer(a: StoredTimer, b: StoredTimer): boolean {
  return a.setting === b.setting && a.wakeAt === b.wakeAt;
}
