/**
 * What the encoder would change in silence, put so that it can't: -0, texts with lone surrogates, objects with a
 * field named `__proto__`, Buffers of Node.
 *
 * These are rare, so one walk first looks whether there are any; only then is the value copied, with marks in
 * their places, which the other side's decoder reads back as what they stand for. Everything else that a message may
 * hold the encoder keeps by itself; `test/threads/exact-value.test.ts` tries to prove the contrary. Hot path: the
 * walk, once for each message that crosses and is an object; bench suite `threads`.
 */
import { isWellFormed } from '../core/given-text.js';

/** Stands for -0. */
export class NegativeZero {
  readonly value = -0;
}

/** Stands for a text that UTF-8 can't hold, by its UTF-16 units. */
export class OddText {
  readonly units: readonly number[];

  constructor(units: readonly number[]) {
    this.units = units;
  }

  get value(): string {
    let text = '';
    for (const unit of this.units) text += String.fromCharCode(unit);
    return text;
  }
}

/** Stands for an object with a field named `__proto__`. */
export class OddObject {
  readonly fields: readonly (readonly [string, unknown])[];

  constructor(fields: readonly (readonly [string, unknown])[]) {
    this.fields = fields;
  }

  get value(): Record<string, unknown> {
    // `fromEntries` defines fields and sets none, so that the prototype stays.
    return Object.fromEntries(this.fields);
  }
}

/** Stands for a Buffer, which would arrive as a plain Uint8Array, whose `toString` gives numbers. */
export class NodeBuffer {
  readonly bytes: Uint8Array;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.bytes = new Uint8Array(buffer, byteOffset, byteLength);
  }

  get value(): Buffer {
    const { buffer, byteOffset, byteLength } = this.bytes;
    return Buffer.from(buffer, byteOffset, byteLength);
  }
}

/** A value that arrives as what it is: itself, or a copy with marks. */
export function exactValue(value: unknown): unknown {
  return isKept(value) ? value : marked(value, new Map());
}

/** `checkMessage` or `checkJson` has accepted the value, so there is no cycle in it. */
function isKept(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return value !== 0 || !Object.is(value, -0);
    case 'string':
      return isWellFormed(value);
    case 'object':
      return value === null || isObjectKept(value);
    default:
      return true;
  }
}

function isObjectKept(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    if (Object.hasOwn(value, '__proto__')) return false;
    for (const key in value) {
      // A plain object: reading a key of it as unknown is safe.
      if (!isKept((value as Record<string, unknown>)[key]) || !isWellFormed(key)) return false;
    }
    return true;
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) if (!isKept(value[i])) return false;
    return true;
  }
  if (value instanceof Map) {
    for (const [key, item] of value) if (!isKept(key) || !isKept(item)) return false;
    return true;
  }
  if (value instanceof Set) {
    for (const item of value) if (!isKept(item)) return false;
    return true;
  }
  return !Buffer.isBuffer(value);
}

/** `copies` keeps what is there twice the same object twice. */
function marked(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value === 'number') return Object.is(value, -0) ? new NegativeZero() : value;
  if (typeof value === 'string') return isWellFormed(value) ? value : markedText(value);
  if (typeof value !== 'object' || value === null) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  const copy = markedObject(value, copies);
  copies.set(value, copy);
  return copy;
}

function markedObject(value: object, copies: Map<object, unknown>): unknown {
  const part = (one: unknown): unknown => marked(one, copies);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    const entries = Object.entries(value);
    const isOdd = entries.some(([key]) => key === '__proto__' || !isWellFormed(key));
    const fields = entries.map(([key, one]) => [key, part(one)] as const);
    if (!isOdd) return Object.fromEntries(fields);
    // Names of fields are texts like others.
    return new OddObject(fields.map(([key, one]) => [part(key) as string, one]));
  }
  if (Array.isArray(value)) return value.map(part);
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [part(key), part(one)]));
  if (value instanceof Set) return new Set([...value].map(part));
  return Buffer.isBuffer(value) ? new NodeBuffer(value) : value;
}

function markedText(text: string): OddText {
  return new OddText(Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)));
}
