/**
 * Command-query separation over three releases of one shop: read models are added and changed under way, and nobody
 * who asks notices.
 */
import { isDeepStrictEqual } from 'node:util';
import { ActorSystem, defineScenario, ScenarioInputError } from 'troupe';
import { keepOrdering, keepReading } from './customers-at-the-counter.js';
import { foldLog } from './plain-fold.js';
import { customers, openOrders, sales, salesWithCancelled } from './read-models.js';
import { order } from './shop.js';

export const cqrs = defineScenario({
  name: 'cqrs',
  title: 'Read models come and change, orders go on',
  goal: 'Show that reading and writing are separate: read models are added and changed without touching what writes.',
  method:
    'A shop with two read models takes orders. A second release adds a third one, built from history; a third release changes the schema of the first. Orders go on during both, and a reader asks all the time.',
  expected:
    'No query fails, no answer is wrong or goes back in time, and in the end every row is what a plain fold of the log has.',
  options: {
    orders: { type: 'number', default: 2_000, description: 'orders before the second release' },
  },
  async run(ctx) {
    const { journal, workers } = ctx;
    if (journal === ':memory:')
      throw new ScenarioInputError('cqrs starts its system three times; give a file with --journal');
    const draw = (below: number): number => Math.floor(ctx.random() * below);
    const start = (release: number): Promise<ActorSystem> =>
      ActorSystem.start({
        name: `shop ${release}`,
        cast: new URL(`./release-${release}.js`, import.meta.url),
        journal: { path: journal, durability: 'os' },
        workers,
      });

    ctx.say('First release: a write model, and two read models.');
    let system = await start(1);
    const before = system.metrics().position;
    const prefix = `${before}`;
    try {
      const stale: string[] = [];
      for (let i = 0; i < 20; i += 1) {
        const ref = system.ref(order, `own-${prefix}-${i}`);
        const { position } = await ref.ask(
          'place',
          { product: 'tea', quantity: 1, customer: 'me' },
          { receipt: true, timeout: '30s' },
        );
        await system.view(openOrders).caughtUp(position);
        if ((await system.view(openOrders).get(ref.id))?.customer !== 'me') stale.push(ref.id);
      }
      ctx.check('whoever writes and waits for the position reads what was written', [], stale);
      let counter = keepOrdering(system, `first-${prefix}`, draw);
      let readings = keepReading(system);
      const bar = ctx.progress({ total: ctx.options.orders, unit: 'orders' });
      while (counter.placed < ctx.options.orders && !ctx.signal.aborted) {
        bar.update(counter.placed, { answers: readings.answers });
        await new Promise((resolve) => setImmediate(resolve));
      }
      bar.stop();
      await counter.close();
      await readings.stop();
      await system.settled();
      const first = await foldLog(system);
      ctx.checkThat(
        'the two read models are what a plain fold of the log has',
        isDeepStrictEqual(await rowsOf(system), {
          sales: first.sales.map(withoutCancelled),
          openOrders: first.openOrders,
        }),
      );
      const failures = [...readings.failures];
      const wrong = [...readings.wrong];
      let answers = readings.answers;

      ctx.say('Second release: a third read model, built from history while orders go on.');
      await system.stop();
      system = await start(2);
      counter = keepOrdering(system, `second-${prefix}`, draw);
      readings = keepReading(system);
      await system.view(customers).caughtUp(undefined, { timeout: '2m' });
      await waitFor(() => counter.placed >= 100, ctx.signal);
      await counter.close();
      await readings.stop();
      await system.settled();
      const second = await foldLog(system);
      ctx.checkThat(
        'the third read model has all of history, and what came while it was built',
        isDeepStrictEqual(await system.view(customers).find(), second.customers),
        `${second.customers.length} customers from ${second.events} events`,
      );
      ctx.checkThat('orders went on meanwhile', counter.placed >= 100, `${counter.placed} orders`);
      const fans = await system.view(customers).count({ where: { 'bought.tea': { gt: 10 } } });
      ctx.check(
        'what is in a json column can be asked for',
        second.customers.filter((row) => teaOf(row) > 10).length,
        fans,
      );
      failures.push(...readings.failures);
      wrong.push(...readings.wrong);
      answers += readings.answers;

      ctx.say('Third release: the schema of the sales changes; the old table answers until the new one is there.');
      await system.stop();
      system = await start(3);
      counter = keepOrdering(system, `third-${prefix}`, draw);
      readings = keepReading(system);
      await system.view(salesWithCancelled).caughtUp(undefined, { timeout: '2m' });
      const swapped = counter.placed;
      await waitFor(() => counter.placed >= swapped + 100, ctx.signal);
      await counter.close();
      await readings.stop();
      await system.settled();
      const third = await foldLog(system);
      failures.push(...readings.failures);
      wrong.push(...readings.wrong);
      answers += readings.answers;
      ctx.checkThat(
        'queries were answered while the new table was built beside the old one',
        readings.whileBuilding > 0,
        `${readings.whileBuilding} answers`,
      );
      ctx.check('no query failed, before, during and after the swap', [], failures.slice(0, 5));
      ctx.check('no answer was wrong, and none went back', [], wrong.slice(0, 5));
      const [sold, open, purses] = [
        await system.view(salesWithCancelled).find(),
        await system.view(openOrders).find(),
        await system.view(customers).find(),
      ];
      ctx.checkThat('the new schema has its rows from the whole of history', isDeepStrictEqual(sold, third.sales));
      ctx.checkThat(
        'all three read models are what a plain fold of the log has',
        isDeepStrictEqual([open, purses], [third.openOrders, third.customers]),
      );
      ctx.check('the system is in good health', [], system.health().problems);
      ctx.events(system.metrics().position - before);
      ctx.total('answers', answers);
      ctx.total('answersWhileBuilding', readings.whileBuilding);
      ctx.total('failedQueries', failures.length);
      ctx.total('events', third.events);
    } finally {
      await system.stop();
    }
  },
});

async function rowsOf(system: ActorSystem): Promise<{ sales: readonly unknown[]; openOrders: readonly unknown[] }> {
  return { sales: await system.view(sales).find(), openOrders: await system.view(openOrders).find() };
}

function withoutCancelled(row: unknown): unknown {
  const { cancelled: _cancelled, ...rest } = Object(row) as { readonly cancelled: unknown };
  return rest;
}

function teaOf(row: unknown): number {
  const { bought } = Object(row) as { readonly bought?: Readonly<Record<string, number>> };
  return bought?.['tea'] ?? 0;
}

async function waitFor(condition: () => boolean, signal: AbortSignal): Promise<void> {
  while (!condition() && !signal.aborted) await new Promise((resolve) => setImmediate(resolve));
}
