/**
 * Chance from a seed: xoshiro128**, its state filled by SplitMix64.
 *
 * The same seed gives the same numbers on every machine and version of Node. Not for secrets.
 *
 * @see D. Blackman, S. Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47 (2021), https://prng.di.unimi.it
 */

/** Returns a function that gives the next number in [0, 1), with 53 random bits. `seed` is a safe integer from 0. */
export function seededRandom(seed: number): () => number {
  let [a, b, c, d] = splitMix(BigInt(seed));

  function next(): number {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  }

  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Four 32-bit words from one seed; never all zero, which xoshiro could not leave. */
function splitMix(seed: bigint): [number, number, number, number] {
  const words: number[] = [];
  let state = seed;
  for (let round = 0; round < 2; round++) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let mixed = state;
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    mixed ^= mixed >> 31n;
    words.push(Number(mixed & 0xffffffffn), Number(mixed >> 32n));
  }
  const [a = 1, b = 0, c = 0, d = 0] = words;
  return [a, b, c, d];
}
