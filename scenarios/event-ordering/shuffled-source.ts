/**
 * A source as they are: it tells of the movements of a real day, shuffled within a window, some twice, some late, and
 * loses a few. All of it by chance from a seed.
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

export interface Disorder {
  /** Places that a movement may be away from its own. */
  readonly window: number;
  /** Every so many-th is sent twice. */
  readonly repeatEvery: number;
  /** Every so many-th never arrives; Infinity: all do. */
  readonly loseEvery: number;
  readonly random: () => number;
}

/** The movements as they arrive. */
export function disordered<T>(movements: readonly T[], { window, repeatEvery, loseEvery, random }: Disorder): T[] {
  const sent = movements.flatMap((one, index) => {
    if ((index + 1) % loseEvery === 0) return [];
    return (index + 1) % repeatEvery === 0 ? [one, one] : [one];
  });
  // Each gets a place near its own; ties keep their order.
  return sent
    .map((one, index) => ({ one, place: index + random() * window }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ one }) => one);
}
