/**
 * A source that tells of the movements of a real day: the stock level of an item after each.
 */
import { readDay } from '../trading-day/read-day.js';

/** The level of one item after its n-th movement, counted from 1. */
export interface Movement {
  readonly sku: string;
  readonly sequence: number;
  readonly level: number;
}

/** Every movement of the day, in order. */
export async function movementsOfTheDay(count: number): Promise<Movement[]> {
  const state = new Map<string, { sequence: number; level: number }>();
  const movements: Movement[] = [];
  for (const { lines } of await readDay()) {
    for (const { sku, quantity } of lines) {
      const { sequence, level } = state.get(sku) ?? { sequence: 0, level: 10_000 };
      const next = { sequence: sequence + 1, level: level - quantity };
      state.set(sku, next);
      movements.push({ sku, ...next });
      if (movements.length >= count) return movements;
    }
  }
  return movements;
}
