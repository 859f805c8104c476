/**
 * Death watch of one actor: whom it watches, and who watches it.
 *
 * `terminated` comes exactly once for each watch, and never after `unwatch`: a watch is in the table until its
 * notice is handed out. Tokens tell a watch from an earlier one of the same actor, whose notice may still be on
 * its way. Watching is between instances, so a restart at either end changes nothing.
 */
import { type InstanceAddress, keyOf, type SignalPost, type WatchSignal } from './signal.js';

/** Told of a watch that begins; if it says true, also of its end, while the watcher lives. */
export type OnWatch = (of: InstanceAddress, stands: boolean) => boolean;

interface Watched {
  readonly of: InstanceAddress;
  readonly token: number;
  /** Whether somebody wants to hear of its end. */
  readonly noted: boolean;
}

export class DeathWatch {
  readonly #self: InstanceAddress;
  readonly #signals: SignalPost;
  /** By key of the watched: the token of the watch. */
  readonly #watched = new Map<string, Watched>();
  /** By key of the watcher. */
  readonly #watchers = new Map<string, { readonly watcher: InstanceAddress; readonly token: number }>();
  readonly #onWatch: OnWatch | undefined;
  #lastToken = 0;

  constructor(self: InstanceAddress, signals: SignalPost, onWatch?: OnWatch) {
    this.#self = self;
    this.#signals = signals;
    this.#onWatch = onWatch;
  }

  /** Begins to watch; a second time changes nothing. `again`: had watched before its worker was lost. */
  watch(of: InstanceAddress, again = false): void {
    const key = keyOf(of);
    if (this.#watched.has(key)) return;
    this.#lastToken += 1;
    this.#watched.set(key, { of, token: this.#lastToken, noted: this.#onWatch?.(of, true) === true });
    this.#signals.signal(of, { kind: 'watch', watcher: this.#self, token: this.#lastToken, ...(again && { again }) });
  }

  /** The signals that renew the watches of those that have gone with a lost worker; it watches others no less. */
  renewals(isLost: (of: InstanceAddress) => boolean): { readonly of: InstanceAddress; readonly signal: WatchSignal }[] {
    return [...this.#watched.values()]
      .filter(({ of }) => isLost(of))
      .map(({ of, token }) => ({ of, signal: { kind: 'watch', watcher: this.#self, token, again: true } }));
  }

  /** Watchers that have gone with a lost worker; those that begin anew will say so. */
  forgetWatchers(isLost: (watcher: InstanceAddress) => boolean): void {
    for (const [key, { watcher }] of this.#watchers) if (isLost(watcher)) this.#watchers.delete(key);
  }

  unwatch(of: InstanceAddress): void {
    const found = this.#watched.get(keyOf(of));
    if (found === undefined) return;
    this.#strike(found);
    this.#signals.signal(of, { kind: 'unwatch', watcher: this.#self, token: found.token });
  }

  /** Whether a notice belongs to a watch that still stands. */
  expects(of: InstanceAddress, token: number): boolean {
    return this.#watched.get(keyOf(of))?.token === token;
  }

  /** Ends a watch because its notice is handed out; false if it stands no more. */
  takeNotice(of: InstanceAddress, token: number): boolean {
    const found = this.#watched.get(keyOf(of));
    if (found?.token !== token) return false;
    this.#strike(found);
    return true;
  }

  #strike({ of, noted }: Watched): void {
    this.#watched.delete(keyOf(of));
    if (noted) this.#onWatch?.(of, false);
  }

  /** Somebody watches this actor. */
  add(watcher: InstanceAddress, token: number): void {
    this.#watchers.set(keyOf(watcher), { watcher, token });
  }

  /** Somebody watches no more, unless he has begun again meanwhile. */
  remove(watcher: InstanceAddress, token: number): void {
    const key = keyOf(watcher);
    if (this.#watchers.get(key)?.token === token) this.#watchers.delete(key);
  }

  /** This actor has ended: its watchers are told, and it watches nobody any more. */
  end(): void {
    for (const { watcher, token } of this.#watchers.values()) {
      this.#signals.signal(watcher, { kind: 'terminated', of: this.#self, token });
    }
    this.#watchers.clear();
    for (const { of, token } of this.#watched.values()) {
      this.#signals.signal(of, { kind: 'unwatch', watcher: this.#self, token });
    }
    this.#watched.clear();
  }
}
