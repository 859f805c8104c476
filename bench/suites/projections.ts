/**
 * Suite `projections`: five read models of the shop's trade, built anew from the whole log.
 *
 * The baseline writes the same rows by hand: one loop, rows in maps, one SQL statement for each table and 2,000 events.
 * Each arm begins with a journal that is there; what is measured is from the start of the system to the last row, so a
 * quick run is mostly the start. The same rows have to come out: each side's tables are compared with the log. With
 * `TROUPE_BENCH_JOURNAL=FILE` a copy of that journal is taken, such as a year of `retail`; else one of made-up orders.
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActorSystem, type RecordedEvent } from 'troupe';
import { foldByHand, TRADE_TYPES } from '../baselines/hand-written-views.js';
import { countInFile } from '../baselines/raw-writer.js';
import {
  email,
  goodsReturn,
  inventory,
  order,
  orders,
  payment,
  payments,
  salesByCountry,
  salesByDay,
  shipment,
  stock,
  trade,
} from '../cast/trade.js';
import { type Arm, type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';

const AGGREGATES = [email, goodsReturn, inventory, order, payment, shipment];
const READ_MODELS = [orders, payments, salesByCountry, salesByDay, stock];

/** 30 events each. Few in a quick run, because each arm has to write them first. */
const ORDERS = 3_000;
const QUICK_ORDERS = 500;

/** A number that is another one when an event is missing, or was counted twice, in any of the tables. */
const DIGEST = `
  SELECT (SELECT sum(lines + units) FROM orders) + (SELECT sum(replenished + sold + returned + adjusted) FROM stock)
    + (SELECT sum(orders + units) FROM sales_by_country) + (SELECT sum(orders + units + returns) FROM sales_by_day)
    + (SELECT count(*) + sum(amount_mills) FROM payments) AS n`;

export const projections = defineSuite({
  name: 'projections',
  question: 'How many events a second does a rebuild of five read models take, and what would it be by hand?',
  pace: { full: { rounds: 2 } },
  arms: [
    {
      name: 'by-hand',
      question: 'the same rows by hand-written SQL, 2,000 events to a transaction',
      unit: 'events/s',
      run: (context) =>
        measured(context, async ({ journal, file }) => {
          const system = await ActorSystem.start({ name: 'bench', cast: AGGREGATES, workers: 0, journal });
          const events = await foldByHand(system.readAll({ types: TRADE_TYPES }), file);
          await system.stop();
          return { events, checkpoint: 'SELECT position AS n FROM checkpoint' };
        }),
    },
    rebuildArm('rebuild', 'the five projections, on the thread that runs everything', 0),
    {
      ...rebuildArm(
        'rebuild-on-a-worker',
        'the five projections on one worker: the main thread only reads and binds',
        1,
      ),
      notQuick: true,
    },
  ],
});

function rebuildArm(name: string, question: string, workers: number): Arm {
  return {
    name,
    question,
    unit: 'events/s',
    baselines: ['by-hand'],
    run: (context) =>
      measured(context, async ({ journal, count }) => {
        const cast = workers === 0 ? [...AGGREGATES, ...READ_MODELS] : new URL('../cast/trade.js', import.meta.url);
        const system = await ActorSystem.start({ name: 'bench', cast, workers, journal });
        await Promise.all(READ_MODELS.map((one) => system.view(one).caughtUp(undefined, { timeout: '10m' })));
        await system.stop();
        // Each projection has to have come to the end.
        return { events: count, checkpoint: 'SELECT min(position) AS n FROM troupe_projections' };
      }),
  };
}

interface Journal {
  readonly journal: { readonly path: string; readonly durability: 'os' };
  /** Where the views belong. */
  readonly file: string;
  /** Events that the read models are made of. */
  readonly count: number;
}

interface Folded {
  readonly events: number;
  /** How far the tables say they have come. */
  readonly checkpoint: string;
}

async function measured(context: ArmContext, fold: (journal: Journal) => Promise<Folded>): Promise<Measurement> {
  const path = join(context.folder, 'bench.db');
  const journal = { path, durability: 'os' } as const;
  const given = process.env['TROUPE_BENCH_JOURNAL'];
  if (given !== undefined) await copyFile(given, path);
  const writer = await ActorSystem.start({ name: 'bench', cast: AGGREGATES, workers: 0, journal });
  if (given === undefined) await trade(writer, context.scale < 1 ? QUICK_ORDERS : ORDERS);
  let count = 0;
  let last = 0;
  let weight = 0;
  for await (const event of writer.readAll({ types: TRADE_TYPES })) {
    count += 1;
    last = event.position;
    weight += weightOf(event);
  }
  await writer.stop();
  // The way there warms up nothing that matters: every arm has gone it.
  const file = `${path}.views`;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const { events, checkpoint } = await fold({ journal, file, count });
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  if ((await countInFile(file, checkpoint)) < last) throw new Error(`the tables are not at position ${last}`);
  if (events !== count) throw new Error(`${events} events were folded, and there are ${count}`);
  const each = (seconds * 1_000_000) / count;
  return {
    value: count / seconds,
    samples: 1,
    p50: each,
    p99: each,
    p999: each,
    cpuUs: (user + system) / count,
    sent: count,
    processed: (await countInFile(file, DIGEST)) === weight ? count : 0,
  };
}

/** What the digest has to be, event by event. */
function weightOf({ type, data }: RecordedEvent): number {
  // The types of events that the tables are made of, with the data that their schemas say.
  const {
    lines = [],
    quantity = 0,
    amountMills = 0,
  } = data as {
    readonly lines?: readonly { readonly quantity: number }[];
    readonly quantity?: number;
    readonly amountMills?: number;
  };
  if (type === 'order.created') return 2 + lines.length + 3 * lines.reduce((sum, line) => sum + line.quantity, 0);
  if (type === 'payment.processed') return 1 + amountMills;
  if (type === 'return.accepted') return 1;
  if (type === 'stock.released') return -quantity;
  return type.startsWith('stock.') ? quantity : 0;
}
