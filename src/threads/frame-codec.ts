/**
 * Frames as bytes: msgpackr with record structures, extended by what its plain form spoils.
 *
 * Whole frames are encoded, not single messages: that is where the speed comes from. References cross as name and id
 * and are made anew on the other side; errors keep class, code, reason and cause.
 */
import { addExtension, Packr } from 'msgpackr';
import { AppendRequest, StateRequest } from '../actors/system-request.js';
import { RoutedRef } from '../actors/routed-ref.js';
import { exactValue, NegativeZero, NodeBuffer, OddObject, OddText } from './exact-value.js';
import type { Frame } from './frame.js';
import { fromWireError, toWireError, type WireError } from '../core/wire-error.js';

/** Makes a reference of this thread. */
export type MakeRef = (name: string, id: string) => unknown;

/** Extension types beyond those that programs tend to use for their own. */
const REF_TYPE = 98;
const ERROR_TYPE = 99;
const APPEND_TYPE = 97;
const STATE_TYPE = 96;
const NEGATIVE_ZERO_TYPE = 95;
const ODD_TEXT_TYPE = 94;
const ODD_OBJECT_TYPE = 93;
const NODE_BUFFER_TYPE = 92;

const PLAIN: MakeRef = (name, id) => ({ name, id });

/** Of the codec that decodes at the moment: extensions are the module's, and one thread may have several systems. */
let makeRef: MakeRef = PLAIN;
let registered = false;

const NONE: readonly never[] = [];

function register(): void {
  if (registered) return;
  registered = true;
  addExtension({
    Class: RoutedRef,
    type: REF_TYPE,
    write: ({ name, id }: RoutedRef) => [name, id],
    // Written by the line above.
    read: ([name, id]: [string, string]) => makeRef(name, id),
  });
  addExtension({
    Class: AppendRequest,
    type: APPEND_TYPE,
    write: ({ events, expectedVersion }: AppendRequest) => [exactValue(events), expectedVersion],
    // Written by the line above.
    read: ([events, expected]: [AppendRequest['events'], AppendRequest['expectedVersion']]) =>
      new AppendRequest(events, expected),
  });
  addExtension({ Class: StateRequest, type: STATE_TYPE, write: () => [], read: () => new StateRequest() });
  addExtension({
    Class: NegativeZero,
    type: NEGATIVE_ZERO_TYPE,
    write: () => [],
    read: () => new NegativeZero().value,
  });
  addExtension({
    Class: OddText,
    type: ODD_TEXT_TYPE,
    write: ({ units }: OddText) => units,
    // Written by the line above; so it is with the next one.
    read: (units: number[]) => new OddText(units).value,
  });
  addExtension({
    Class: OddObject,
    type: ODD_OBJECT_TYPE,
    write: ({ fields }: OddObject) => fields,
    read: (fields: [string, unknown][]) => new OddObject(fields).value,
  });
  addExtension({
    Class: NodeBuffer,
    type: NODE_BUFFER_TYPE,
    write: ({ bytes }: NodeBuffer) => bytes,
    read: (bytes: Uint8Array) => new NodeBuffer(bytes).value,
  });
  addExtension({
    Class: Error,
    type: ERROR_TYPE,
    write: (error: Error) => toWireError(error),
    // Written by the line above.
    read: (wire: WireError) => fromWireError(wire),
  });
}

export class FrameCodec {
  readonly #packr: Packr;
  readonly #make: MakeRef;
  #madeRefs = false;

  /** @param make default: references arrive as plain names and ids */
  constructor(make: MakeRef = PLAIN) {
    register();
    this.#make = make;
    this.#packr = new Packr({ structuredClone: true, moreTypes: true });
  }

  /** What most frames don't have stands last; each array that is left out, saves the encoder a note of where it is. */
  encode({ placements, signals, outcomes, withdrawn, credits, mail }: Frame): Uint8Array {
    const has = { outcomes: orNone(outcomes), mail: orNone(mail) };
    if (placements.length + signals.length + withdrawn.length === 0)
      return this.pack([credits, has.outcomes, has.mail]);
    return this.pack([credits, has.outcomes, has.mail, placements, signals, withdrawn]);
  }

  decode(bytes: Uint8Array): Frame {
    // Written by `encode` of the other side.
    const parts = this.unpack(bytes) as [
      Frame['credits'],
      Frame['outcomes'] | 0,
      Frame['mail'] | 0,
      Frame['placements']?,
      Frame['signals']?,
      Frame['withdrawn']?,
    ];
    const [credits, outcomes, mail, placements = NONE, signals = NONE, withdrawn = NONE] = parts;
    return { placements, signals, outcomes: outcomes || NONE, withdrawn, credits, mail: mail || NONE };
  }

  /** Any value that a message may hold, its oddities marked (exact-value.ts), as bytes of their own size: the encoder reuses its buffer. */
  pack(value: unknown): Uint8Array {
    return new Uint8Array(this.#packr.pack(value));
  }

  /** Whether there was a reference in what was unpacked last. */
  get madeRefs(): boolean {
    return this.#madeRefs;
  }

  unpack(bytes: Uint8Array): unknown {
    this.#madeRefs = false;
    makeRef = (name, id) => {
      this.#madeRefs = true;
      return this.#make(name, id);
    };
    return this.#packr.unpack(bytes) as unknown;
  }
}

function orNone(items: readonly unknown[]): readonly unknown[] | 0 {
  return items.length === 0 ? 0 : items;
}
