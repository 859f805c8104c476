/** A source that sends every payment of the day three times, in any order. The same seed gives the same order. */
import { readDay } from '../trading-day/read-day.js';

export interface Payment {
  readonly id: string;
  readonly country: string;
  readonly mills: number;
}

/** Times that each payment is sent. */
export const TIMES = 3;

/** All that arrives. @param orders of the day */
export async function arrivals(orders: number, seed: number): Promise<Payment[]> {
  const payments = (await readDay(orders)).map(({ number, country, totalMills }) => ({
    id: number,
    country,
    mills: totalMills,
  }));
  const random = randomFrom(seed);
  return payments
    .flatMap((payment) => Array.from({ length: TIMES }, () => ({ payment, place: random() })))
    .toSorted((a, b) => a.place - b.place)
    .map(({ payment }) => payment);
}

/** A small generator of its own, because the sender is another process than the scenario. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
