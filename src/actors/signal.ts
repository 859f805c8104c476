/**
 * Signals: what the runtime tells an actor, beside its mail.
 *
 * They travel on the control lane, which user mail can neither fill nor delay. They are plain data with addresses
 * instead of references to objects, so that either end may be on another thread.
 */

/** Which instance. */
export interface InstanceAddress {
  readonly name: string;
  readonly id: string;
}

/** Tells the instances of one family apart: an id may be used again, an ordinal never is. */
export type Ordinal = number;

/** What anybody may tell an actor: end, after the message being handled. */
export interface StopOrder {
  readonly kind: 'stop';
}

/** What its supervisor tells an actor. The ordinal keeps an order from a later actor of the same id. */
export interface SupervisorOrder {
  /**
   * `resume`: go on with the state as it is. `halt`: end this life and keep the mailbox; another one begins when
   * told so. `begin`: begin the next life.
   */
  readonly kind: 'resume' | 'halt' | 'begin';
  readonly child: Ordinal;
}

/** What an actor tells its supervisor. */
export type Report =
  | {
      readonly kind: 'child-failed';
      readonly child: Ordinal;
      /** Which life of the child failed, from 1. */
      readonly life: number;
      readonly error: unknown;
      /** Whether there is a state to go on with. */
      readonly resumable: boolean;
    }
  | { readonly kind: 'child-ended'; readonly child: Ordinal };

/** Death watch. The token tells a watch apart from an earlier one of the same actor. */
export type WatchSignal =
  | {
      readonly kind: 'watch';
      readonly watcher: InstanceAddress;
      readonly token: number;
      /**
       * A worker was lost since the watch began. Who is a child has gone with it, and whoever has its id by now is
       * somebody else.
       */
      readonly again?: boolean;
    }
  | { readonly kind: 'unwatch'; readonly watcher: InstanceAddress; readonly token: number }
  | { readonly kind: 'terminated'; readonly of: InstanceAddress; readonly token: number };

export type Signal = StopOrder | SupervisorOrder | Report | WatchSignal;

/** Takes signals to where they belong; never full. */
export interface SignalPost {
  /** `to`: undefined for the guardian, which supervises top-level actors. In order for each pair of ends. */
  signal(to: InstanceAddress | undefined, signal: Signal): void;
}

/** Who supervises an instance, and as which of its children. */
export interface Supervised {
  readonly by: InstanceAddress | undefined;
  readonly ordinal: Ordinal;
}

/** One text for one instance; names never contain a slash. */
export function keyOf(address: InstanceAddress): string {
  return `${address.name}/${address.id}`;
}

/** Whether both mean the same instance. */
export function sameInstance(a: InstanceAddress, b: InstanceAddress): boolean {
  return a.id === b.id && a.name === b.name;
}
