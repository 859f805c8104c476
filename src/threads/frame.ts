/** What crosses a link: frames, and what they are made of. */
import type { InstanceAddress, Signal } from '../actors/signal.js';
import type { WireMail } from './mail-wire.js';
import type { WireError } from '../core/wire-error.js';

/** How a message ended, or that the mailbox has taken it. `done`: with nothing to say; a run of them. */
export type WireOutcome =
  | readonly [kind: 'done', seq: number, count: number]
  | readonly [kind: 'taken', seq: number]
  | readonly [kind: 'reply', seq: number, value: unknown, position: number, version: number]
  | readonly [kind: 'fail', seq: number, error: WireError];

/** A signal and the instance that it is for; undefined: the guardian. */
export type WireSignal = readonly [to: InstanceAddress | undefined, signal: Signal];

/** An instance that was born on another thread than its home, or has ended there. */
export type WirePlacement = readonly [name: string, id: string, birth: number, lives: boolean];

export interface Frame {
  readonly placements: readonly WirePlacement[];
  readonly signals: readonly WireSignal[];
  readonly outcomes: readonly WireOutcome[];
  /** Messages that still wait for room and shall wait no longer. */
  readonly withdrawn: readonly number[];
  /** Messages that have come to their mailboxes since the last frame: so many more may be sent. */
  readonly credits: number;
  readonly mail: WireMail;
}
