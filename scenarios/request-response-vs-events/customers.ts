/** Customers who place orders at a steady pace, and bystanders who only ask when the shop is open. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How customers reach a shop. */
export interface Shop {
  /** Resolves with whether the customer has the order confirmed. */
  place(orderId: string): Promise<boolean>;
  opens(): Promise<unknown>;
}

export interface Crowd {
  readonly confirmed: number;
  readonly lost: number;
  /** Milliseconds until a customer had an answer, or had waited for long enough. */
  readonly answerMs: readonly number[];
  readonly bystanderMs: readonly number[];
}

const EVERY_MS = 10;

export async function crowd(shop: Shop, orderIds: readonly string[]): Promise<Crowd> {
  const answerMs: number[] = [];
  const bystanderMs: number[] = [];
  let confirmed = 0;
  const timed = async (times: number[], ask: () => Promise<unknown>): Promise<unknown> => {
    const startedAt = performance.now();
    const answer = await ask().catch(() => undefined);
    times.push(performance.now() - startedAt);
    return answer;
  };
  const all: Promise<unknown>[] = [];
  for (const orderId of orderIds) {
    all.push(
      timed(answerMs, () => shop.place(orderId)).then((answer) => {
        if (answer === true) confirmed += 1;
      }),
    );
    all.push(timed(bystanderMs, () => shop.opens()));
    await sleep(EVERY_MS);
  }
  await Promise.all(all);
  return { confirmed, lost: orderIds.length - confirmed, answerMs, bystanderMs };
}
