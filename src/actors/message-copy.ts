/**
 * Copies of messages: what an actor gets that must not share it, or whose references have to be its own.
 *
 * A reference sends in the name of the actor whose context made it. One that comes in a message must send in the
 * name of the receiver, so the message is copied around it; that is rare. Replies that are objects are copied always. The arguments of `spawn` are copied for
 * each life, so that a restart starts from what was given and not from what the last life made of it.
 */
import { isPrimitive, kindOf } from './message-check.js';
import type { InstanceAddress } from './signal.js';

/** Makes of a reference in the message the one in the copy. */
export type BindRef = (ref: InstanceAddress) => unknown;

/** Makes of bytes in the message those in the copy. */
export type CopyBytes = (bytes: ArrayBufferView | ArrayBuffer) => unknown;

/** A Buffer of Node stays one, and doesn't take along what else is in the memory that it is cut from. */
const cloneBytes: CopyBytes = (bytes) => (Buffer.isBuffer(bytes) ? Buffer.from(bytes) : structuredClone(bytes));

/**
 * A deep copy of a value that `checkMessage` has accepted. What is there twice is there twice in the copy, not
 * copied twice. Errors are not copied: they are facts, and their classes would be lost.
 */
export function copyMessage(value: unknown, bindRef: BindRef, copyBytes: CopyBytes = cloneBytes): unknown {
  return isPrimitive(value) ? value : copyPart(value, { bindRef, copyBytes, copies: new Map() });
}

interface Copying {
  readonly bindRef: BindRef;
  readonly copyBytes: CopyBytes;
  readonly copies: Map<object, unknown>;
}

function copyPart(value: unknown, copying: Copying): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = copying.copies.get(value);
  if (known !== undefined) return known;
  const copy = copyObject(value, copying);
  copying.copies.set(value, copy);
  return copy;
}

function copyObject(value: object, copying: Copying): unknown {
  const part = (one: unknown): unknown => copyPart(one, copying);
  // Each cast is what `kindOf` has just found out.
  const kind = kindOf(value);
  switch (kind) {
    case 'plain': {
      const copy = Object.create(Object.getPrototypeOf(value) === null ? null : Object.prototype) as Record<
        string,
        unknown
      >;
      for (const [key, one] of Object.entries(value)) define(copy, key, part(one));
      return copy;
    }
    case 'array':
      return (value as readonly unknown[]).map(part);
    case 'map':
      return new Map([...(value as ReadonlyMap<unknown, unknown>)].map(([key, one]) => [part(key), part(one)]));
    case 'set':
      return new Set([...(value as ReadonlySet<unknown>)].map(part));
    case 'date':
      return new Date((value as Date).getTime());
    case 'bytes':
      return copying.copyBytes(value as ArrayBufferView | ArrayBuffer);
    case 'ref':
      return copying.bindRef(value as InstanceAddress);
    case 'error':
    case 'unfit':
      return value;
  }
  return kind satisfies never;
}

/** Assigns, except that a field named `__proto__` stays a field. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
