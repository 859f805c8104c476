/** Those who use the shop all the time: some place and cancel orders, one asks and checks each answer. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ActorSystem } from 'troupe';
import { openOrders, sales } from './read-models.js';
import { order, PRICES } from './shop.js';

export interface Counter {
  readonly placed: number;
  /** Ends with the orders under way. */
  close(): Promise<void>;
}

/** Places orders, a few at a time, until it is closed; every fifth is cancelled. */
export function keepOrdering(system: ActorSystem, prefix: string, draw: (below: number) => number): Counter {
  const products = Object.keys(PRICES);
  let placed = 0;
  let closed = false;
  const one = async (): Promise<void> => {
    placed += 1;
    const number = placed;
    const ref = system.ref(order, `${prefix}-${number}`);
    const product = products[draw(products.length)] ?? 'tea';
    await ref.ask('place', { product, quantity: 1 + draw(9), customer: `customer-${draw(50)}` }, { timeout: '30s' });
    if (number % 5 === 0) await ref.ask('cancel', undefined, { timeout: '30s' });
  };
  const counters = Array.from({ length: 8 }, async () => {
    while (!closed) {
      await one();
      await nextTurn();
    }
  });
  return {
    get placed() {
      return placed;
    },
    async close() {
      closed = true;
      await Promise.all(counters);
    },
  };
}

/** What the reader has seen. */
export interface Readings {
  readonly answers: number;
  /** Answers to queries that were asked while a table was built that is to take another's place. */
  readonly whileBuilding: number;
  readonly failures: readonly string[];
  readonly wrong: readonly string[];
  stop(): Promise<void>;
}

/**
 * Asks again and again, and checks each answer: every row is whole (revenue = units x price), and no reader goes back
 * (the number of orders never falls).
 */
export function keepReading(system: ActorSystem): Readings {
  const failures: string[] = [];
  const wrong: string[] = [];
  let answers = 0;
  let whileBuilding = 0;
  let stopped = false;
  let seen = 0;
  const isBuilding = (): boolean => system.metrics().projections.some(({ state }) => state === 'rebuilding');
  const look = async (): Promise<void> => {
    const building = isBuilding();
    const rows = await system.view(sales).find({ orderBy: { revenue: 'desc' } });
    answers += 1;
    if (building) whileBuilding += 1;
    for (const { product, units, revenue } of rows) {
      if (revenue !== units * (PRICES[product] ?? NaN)) wrong.push(`${product}: ${units} units for ${revenue}`);
    }
    const orders = rows.reduce((sum, row) => sum + row.orders, 0);
    if (orders < seen) wrong.push(`${orders} orders, and before there were ${seen}`);
    seen = Math.max(seen, orders);
    const [first] = await system.view(openOrders).find({ where: { quantity: { gt: 8 } }, limit: 1 });
    answers += 1;
    if (first !== undefined && first.quantity !== 9) wrong.push(`${first.id}: quantity ${first.quantity}`);
  };
  const reading = (async () => {
    while (!stopped) {
      try {
        await look();
      } catch (error) {
        failures.push(String(error));
      }
      await nextTurn();
    }
  })();
  return {
    get answers() {
      return answers;
    },
    get whileBuilding() {
      return whileBuilding;
    },
    failures,
    wrong,
    async stop() {
      stopped = true;
      await reading;
    },
  };
}
