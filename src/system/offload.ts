/**
 * `ctx.offload` on any thread: finds the name under which the cast exports the function, and has it run elsewhere.
 *
 * The same checks on every setting of `workers`, so that a function that would not be found by another thread is
 * refused on one thread, too.
 */
import { checkMessage } from '../actors/message-check.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { FrameCodec } from '../threads/frame-codec.js';
import type { Cast } from './cast.js';

/** Runs an exported function of the cast with a packed input. */
export type RunExported = (exported: string, input: Uint8Array) => Promise<unknown>;

/** `offload` as actors' contexts call it. */
export type Offload = (run: (input: never) => unknown, input: unknown) => Promise<unknown>;

/** @param run undefined: the cast was given as definitions, which no other thread can import */
export function offloadBy(cast: Cast, codec: FrameCodec, run: RunExported | undefined): Offload {
  return async (given, input) => {
    const { name } = Object(given) as { readonly name?: unknown };
    const shown = typeof given === 'function' && name !== '' ? String(name) : showValue(given);
    if (run === undefined) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `offload(${shown}): the cast was given as definitions, which no other thread can import; give ActorSystem.start ` +
          "the URL of its module: cast: new URL('./cast.js', import.meta.url)",
      );
    }
    const exported = cast.functions.get(given);
    if (exported === undefined) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `offload(${shown}): the cast does not export this function; export it from the cast's module, so that a pool ` +
          'thread can import it, and pass what it needs as the input',
        { details: { function: shown } },
      );
    }
    if (checkMessage(input, `offload(${exported}): the input`)) {
      throw new TroupeError(
        'TROUPE_NOT_SERIALIZABLE',
        `offload(${exported}): the input holds a reference to an actor, which leads nowhere from a pool thread; send ` +
          'the result yourself',
      );
    }
    return run(exported, codec.pack(input));
  };
}
