/** What crosses a link: frames, and what they are made of. */
import type { InstanceAddress, Signal } from '../actors/signal.js';
import type { WireMail } from './mail-wire.js';
import type { WireOutcomes } from './outcome-wire.js';

/** A signal and the instance that it is for; undefined: the guardian. */
export type WireSignal = readonly [to: InstanceAddress | undefined, signal: Signal];

/** An instance that was born on another thread than its home, or has ended there. */
export type WirePlacement = readonly [name: string, id: string, birth: number, lives: boolean];

export interface Frame {
  readonly placements: readonly WirePlacement[];
  readonly signals: readonly WireSignal[];
  readonly outcomes: WireOutcomes;
  /** Messages that still wait for room and shall wait no longer. */
  readonly withdrawn: readonly number[];
  /** Messages that have come to their mailboxes since the last frame: so many more may be sent. */
  readonly credits: number;
  readonly mail: WireMail;
}
