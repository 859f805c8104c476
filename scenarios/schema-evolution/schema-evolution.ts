/**
 * Three releases write to one log, each in its own shape; the newest reads them all. A change that would break is caught
 * before it runs, and one step back is said clearly.
 */
import { ActorSystem, aggregate, auditJournal, defineScenario, isTroupeError, ScenarioInputError } from 'troupe';
import { type DayOrder, readDay } from '../trading-day/read-day.js';
import { order as first } from './version-1.js';
import { order as second } from './version-2.js';
import { order as third } from './version-3.js';
import { order as hasty } from './version-4-hasty.js';
import { order as fourth } from './version-4.js';

export const schemaEvolution = defineScenario({
  name: 'schema-evolution',
  title: 'Three shapes of one event',
  goal: 'Show that events outlive the code that wrote them: old shapes are read by upcasters, and what would break is found before a deploy.',
  method:
    'A third of a real day is written by each of three releases. A hasty fourth one is tried against the journal without running it, then a good one. Then the second release is started again, on a log it does not know all of.',
  expected:
    'Every order has its right total, whichever release wrote it; the hasty change is refused with the position of each event; the good one passes.',
  options: { orders: { type: 'number', default: 132, description: 'orders of the day to write' } },
  async run(ctx) {
    const { journal } = ctx;
    if (journal === ':memory:')
      throw new ScenarioInputError('schema-evolution restarts on its journal; give --journal a file');
    const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    // Each release is a process of its own in real life; here each has the thread to itself.
    const start = (definition: typeof first | typeof second | typeof third | typeof fourth) =>
      ActorSystem.start({ cast: [definition], workers: 0, journal, log: silent });
    const day = await readDay(ctx.options.orders);
    const share = Math.ceil(day.length / 3);
    const parts = [day.slice(0, share), day.slice(share, 2 * share), day.slice(2 * share)] as const;

    const one = await start(first);
    const before = one.metrics().position;
    const idOf = ({ number }: DayOrder): string => `${number}-run${before}`;
    for (const placed of parts[0]) {
      await one.ref(first, idOf(placed)).ask('place', { item: 'everything', pounds: placed.totalMills / 1_000 });
    }
    await one.stop();
    const two = await start(second);
    for (const placed of parts[1]) await two.ref(second, idOf(placed)).ask('place', { lines: linesOf(placed) });
    await two.stop();
    const three = await start(third);
    for (const placed of parts[2]) {
      await three.ref(third, idOf(placed)).ask('place', { lines: linesOf(placed), currency: 'GBP' });
      await three.ref(third, idOf(placed)).ask('wrap', undefined);
    }
    const totals = await Promise.all(day.map(async (placed) => (await three.state(third, idOf(placed))).totalMills));
    const shapes = new Map<string, number>();
    for await (const event of three.readAll({ after: before, types: ['order.placed'] })) {
      // Every schema here is that of an object.
      const shape = Object.keys(event.data as object).join(', ');
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
    }
    const refused = await codeOf(three.ref(third, 'wrong').ask('place', { lines: [], currency: 'pounds' }));
    const events = three.metrics().position - before;
    await three.stop();

    const caught = await auditJournal(journal, { cast: [hasty] });
    const fine = await auditJournal(journal, { cast: [fourth] });
    ctx.say(`The hasty release: ${caught.failed} of ${caught.events} events could not be read. The first ones:`);
    for (const { message } of caught.failures.slice(0, 3)) ctx.say(`  ✗ ${message}`);
    ctx.say(`The fourth release: ${fine.failed} of ${fine.events}.`);

    // One step back: the second release meets version 3, and a type that it has never heard of.
    const back = await start(second);
    const lastOrder = parts[2].at(-1) ?? day[0];
    const stepBack = lastOrder === undefined ? 'no error' : await codeOf(back.state(second, idOf(lastOrder)));
    const strange = await codeOf(
      (async () => {
        for await (const event of back.readAll({ after: before, types: ['order.wrapped'], unknownEvents: 'fail' }))
          void event;
      })(),
    );
    await back.stop();
    const tolerant = aggregate({
      name: 'order',
      initialState: () => ({ wrapped: 0 }),
      events: {},
      unknownEvents: 'skip',
    });
    const skipping = await ActorSystem.start({ cast: [tolerant], workers: 0, journal, log: silent });
    if (lastOrder !== undefined) await skipping.state(tolerant, idOf(lastOrder));
    const { eventsSkipped } = skipping.metrics();
    await skipping.stop();

    const right = day.map(({ totalMills }) => totalMills);
    ctx.bars(
      parts.map((part, index) => ({ label: `written by release ${index + 1}`, value: part.length })),
      { title: 'Orders in one log' },
    );
    ctx.events(events);
    ctx.total('orders', day.length);
    ctx.total('caughtByTheAudit', caught.failed);
    ctx.check('every order has its right total, whichever release wrote it', right, totals);
    ctx.check('readers see one shape', new Map([['lines, currency', day.length]]), shapes);
    ctx.check('a wrong event is refused when it is written', 'TROUPE_INVALID_MESSAGE', refused);
    ctx.check(
      'the hasty change is caught, at every event',
      { ok: false, failed: caught.events },
      { ok: caught.ok, failed: caught.failed },
    );
    ctx.checkThat(
      'what is said names aggregate, versions and position',
      caught.failures.every(
        ({ position, message }) => message.includes(`position ${position}`) && message.startsWith('order/'),
      ),
      caught.failures[0]?.message,
    );
    ctx.check('the good change passes', true, fine.ok);
    ctx.check('a release that is too old says so, and decides nothing', 'TROUPE_INVALID_EVENT', stepBack);
    ctx.check('an unknown type fails a reader that asks for that', 'TROUPE_INVALID_EVENT', strange);
    ctx.check('or is skipped and counted', 2, eventsSkipped);
  },
});

function linesOf({ lines }: DayOrder): { sku: string; quantity: number; mills: number }[] {
  return lines.map(({ sku, quantity, priceMills }) => ({ sku, quantity, mills: priceMills }));
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (isTroupeError(error) ? error.code : String(error)),
  );
}

function nothing(): void {
  // What is refused on purpose would fill the screen.
}
