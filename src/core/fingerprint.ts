/**
 * Fingerprints: short hashes by which repeated commands are recognised.
 *
 * `hashText` narrows the search for a command id (a hit is always confirmed against the id itself);
 * `fingerprint` tells whether a repeated id comes with the same content, whatever the order of its fields.
 * Both are FNV-1a with Murmur3's finalizer, 32 bits: fast, well spread, not cryptographic.
 *
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 */

const OFFSET = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

/** A signed 32-bit hash of a text. */
export function hashText(text: string): number {
  let hash = OFFSET;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return finish(hash);
}

/** A signed 32-bit hash of a JSON value; undefined fields and the order of fields make no difference. */
export function fingerprint(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return hashText(value) ^ 0x51ed270b;
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 0x7fffffff
        ? finish(value ^ 0x2545f491)
        : hashText(String(value)) ^ 0x2545f491;
    case 'boolean':
      return value ? 0x3c6ef372 : 0x1b873593;
    case 'object':
      if (value === null) return 0x27d4eb2f;
      return Array.isArray(value) ? ofArray(value) : ofObject(value as Record<string, unknown>);
    default:
      return 0x165667b1;
  }
}

function ofArray(items: readonly unknown[]): number {
  let hash = items.length;
  for (const item of items) hash = finish(Math.imul(hash, PRIME) ^ fingerprint(item));
  return hash;
}

function ofObject(fields: Record<string, unknown>): number {
  let hash = 0x9e3779b9 | 0;
  for (const key in fields) {
    const part = fields[key];
    // Adding is commutative: the order of the fields makes no difference.
    if (part !== undefined) hash = (hash + finish(hashText(key) ^ Math.imul(fingerprint(part), PRIME))) | 0;
  }
  return finish(hash);
}

function finish(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
