/** Of an unbounded mailbox: as many waiting are worth a word. */
const MANY = 10_000;

/**
 * The number of waiting messages that is news next, when so many have waited before: half of the capacity, then all of
 * it; without a bound, twice as many each time.
 */
export function nextHighWater(capacity: number, waited: number): number {
  if (capacity === Infinity) return Math.max(MANY, waited * 2);
  const half = Math.ceil(capacity / 2);
  if (waited < half) return half;
  return waited < capacity ? capacity : Infinity;
}
