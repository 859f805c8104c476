/**
 * What runs on a pool thread: one exported function of the cast, with one input.
 *
 * The module is imported once in each thread. What the function throws is its outcome like what it returns, and both
 * go back as bytes; an outcome that can't be carried is refused here, by its path.
 */
import { checkMessage } from '../actors/message-check.js';
import { FrameCodec } from './frame-codec.js';

/** One call. */
export interface OffloadTask {
  /** URL of the cast. */
  readonly cast: string;
  /** Under which name the module exports the function. */
  readonly exported: string;
  /** The input, packed. */
  readonly input: Uint8Array;
}

/** What became of it, packed: the value, or what was thrown. */
export interface OffloadOutcome {
  readonly failed: boolean;
  readonly packed: Uint8Array;
}

const codec = new FrameCodec();

/** The pool's task. */
export default async function runOffloaded({ cast, exported, input }: OffloadTask): Promise<OffloadOutcome> {
  try {
    const module = (await import(cast)) as Readonly<Record<string, unknown>>;
    // The caller has found a function under this name; `offload` says of which type.
    const run = module[exported] as (input: unknown) => unknown;
    const value = await run(codec.unpack(input));
    checkMessage(value, `offload(${exported}): what it returns`);
    return { failed: false, packed: codec.pack(value) };
  } catch (error) {
    return { failed: true, packed: codec.pack(carried(error)) };
  }
}

/** What was thrown, if it can be carried. */
function carried(thrown: unknown): unknown {
  try {
    checkMessage(thrown, 'what was thrown');
    return thrown;
  } catch {
    return new Error('an offloaded function has thrown what is neither an Error nor a value that can be sent');
  }
}
