/**
 * Moving buffers: the message gets them, and the sender keeps them empty, as with `postMessage` and a transfer list.
 *
 * All or none are moved, and only when the message has passed every check that its sender can fail. Views of a moved
 * buffer become views of the one that has its content.
 */
import { types } from 'node:util';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { copyMessage } from './message-copy.js';
import type { InstanceAddress } from './signal.js';

const sameRef = (ref: InstanceAddress): unknown => ref;

/**
 * The message with the content of these buffers, which are detached.
 *
 * @param payload what `checkMessage` has accepted
 * @throws TROUPE_INVALID_OPTIONS when one is no ArrayBuffer, is not in the message, or can't be moved
 */
export function withMovedBuffers(payload: unknown, transfer: unknown, where: string): unknown {
  const buffers: ReadonlySet<ArrayBufferLike> = readTransfer(transfer, where);
  const found = new Set<ArrayBufferView | ArrayBuffer>();
  const held = new Set<ArrayBufferLike>();
  copyMessage(payload, sameRef, (bytes) => {
    const buffer = ArrayBuffer.isView(bytes) ? bytes.buffer : bytes;
    held.add(buffer);
    if (buffers.has(buffer)) found.add(bytes);
    return bytes;
  });
  for (const [index, buffer] of [...buffers].entries()) {
    if (!held.has(buffer))
      throw refusal(where, index, 'is not in the message; list only buffers that are sent with it');
  }
  const before = [...found];
  let after: readonly unknown[];
  try {
    // `readTransfer` has let nothing but ArrayBuffers pass. They are moved, with all their views at the same time, or the call throws and none is.
    after = structuredClone(before, { transfer: [...buffers] as ArrayBuffer[] });
  } catch (cause) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${where}: options.transfer holds a buffer that can't be moved, such as one that a Buffer shares with others; copy it first`,
      { cause },
    );
  }
  const moved = new Map<unknown, unknown>(
    before.map((bytes, index) => [bytes, Buffer.isBuffer(bytes) ? asBuffer(after[index]) : after[index]]),
  );
  return copyMessage(payload, sameRef, (bytes) => moved.get(bytes) ?? bytes);
}

/** What was a Buffer of Node before it was moved. */
function asBuffer(moved: unknown): Buffer {
  // A clone of a Buffer is a view of bytes.
  const { buffer, byteOffset, byteLength } = moved as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}

function readTransfer(transfer: unknown, where: string): Set<ArrayBufferLike> {
  if (!Array.isArray(transfer)) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${where}: options.transfer is ${showValue(transfer)}; give an array of ArrayBuffers that are in the message`,
    );
  }
  const buffers = new Set<ArrayBufferLike>();
  for (const [index, buffer] of (transfer as readonly unknown[]).entries()) {
    if (!types.isArrayBuffer(buffer)) {
      throw refusal(
        where,
        index,
        `is ${showValue(buffer)}; give the ArrayBuffer itself (of a typed array: its buffer)`,
      );
    }
    buffers.add(buffer);
  }
  return buffers;
}

function refusal(where: string, index: number, what: string): TroupeError {
  return new TroupeError('TROUPE_INVALID_OPTIONS', `${where}: options.transfer[${index}] ${what}`);
}
