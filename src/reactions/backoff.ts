/** Exponential backoff: doubling from the least wait to the longest. */

/** @param failures how many times it has failed in a row, from 1 */
export function backoffMs(failures: number, minMs: number, maxMs: number): number {
  return Math.min(maxMs, minMs * 2 ** (failures - 1));
}
