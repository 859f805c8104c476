/**
 * The five read models of the trade as somebody would write them by hand: one loop over the log, rows in maps, and for
 * every 2,000 events one transaction in which each table gets one statement with all its rows as JSON.
 *
 * Nothing is checked, no handler may throw, no version is built beside another, and all rows are in memory for ever.
 */
import sqlite3 from 'sqlite3';
import type { RecordedEvent } from 'troupe';

const BATCH = 2_000;

const TABLES = {
  orders: [
    'id text primary key, customer_id text, country text, lines integer, units integer, total_mills integer, ordered_at integer, status text',
    'create index orders_status on orders (status); create index orders_customer on orders (customer_id)',
  ],
  stock: [
    'sku text primary key, replenished integer, sold integer, returned integer, adjusted integer, on_hand integer',
    'create index stock_sold on stock (sold)',
  ],
  sales_by_country: ['country text primary key, orders integer, lines integer, units integer, total_mills integer', ''],
  sales_by_day: [
    'day text primary key, orders integer, units integer, total_mills integer, returns integer, refund_mills integer',
    '',
  ],
  payments: [
    'order_id text primary key, customer_id text, country text, amount_mills integer, processed_at integer',
    '',
  ],
} as const;

type TableName = keyof typeof TABLES;
type Row = (string | number | null)[];

interface Line {
  readonly quantity: number;
}

/** The data of any event of the trade, as far as the tables need it. */
interface TradeData {
  readonly customerId: string | null;
  readonly country: string;
  readonly lines: readonly Line[];
  readonly totalMills: number;
  readonly orderedAt: number;
  readonly returnedAt: number;
  readonly amountMills: number;
  readonly quantity: number;
  readonly onHand: number;
  readonly template: string;
  readonly about: string;
}

/** Types of the events that go into the tables. */
export const TRADE_TYPES = [
  'order.created',
  'order.reserved',
  'order.cancelled',
  'order.shipped',
  'payment.processed',
  'email.sent',
  'return.accepted',
  'stock.replenished',
  'stock.reserved',
  'stock.released',
  'stock.returned',
  'stock.adjusted',
];

/** Folds all of it; gives the number of events. */
export async function foldByHand(events: AsyncIterable<RecordedEvent>, file: string): Promise<number> {
  const database = await open(file);
  const run = (sql: string, ...params: (string | number)[]): Promise<void> =>
    new Promise((resolve, reject) => {
      database.run(sql, params, (error) => (error === null ? resolve() : reject(error)));
    });
  await run('PRAGMA journal_mode = WAL');
  await run('PRAGMA synchronous = NORMAL');
  await run('create table checkpoint (id integer primary key, position integer)');
  for (const [name, [columns, indexes]] of Object.entries(TABLES)) {
    await run(`create table ${name} (${columns}) without rowid`);
    for (const index of indexes.split(';')) if (index !== '') await run(index);
  }
  const tables = new Hand();
  let count = 0;
  let position = 0;
  let written = Promise.resolve();
  for await (const event of events) {
    tables.take(event);
    position = event.position;
    count += 1;
    if (count % BATCH !== 0) continue;
    const batch = tables.changes();
    await written;
    written = write(run, batch, position);
  }
  await written;
  await write(run, tables.changes(), position);
  await new Promise<void>((resolve, reject) => {
    database.close((error) => (error === null ? resolve() : reject(error)));
  });
  return count;
}

async function write(
  run: (sql: string, ...params: (string | number)[]) => Promise<void>,
  batch: ReadonlyMap<TableName, string>,
  position: number,
): Promise<void> {
  await run('begin');
  for (const [name, rows] of batch) {
    const cells = TABLES[name][0].split(',').map((_, i) => `value ->> ${i}`);
    await run(`insert or replace into ${name} select ${cells.join(', ')} from json_each(?)`, rows);
  }
  await run('insert or replace into checkpoint (id, position) values (1, ?)', position);
  await run('commit');
}

class Hand {
  readonly #rows = new Map<TableName, Map<string, Row>>();
  readonly #changed = new Map<TableName, Map<string, Row>>();

  constructor() {
    // The names of the object above.
    for (const name of Object.keys(TABLES) as TableName[]) {
      this.#rows.set(name, new Map());
      this.#changed.set(name, new Map());
    }
  }

  /** The rows that have changed since the last call, as JSON. */
  changes(): Map<TableName, string> {
    const batch = new Map<TableName, string>();
    for (const [name, rows] of this.#changed) {
      if (rows.size > 0) batch.set(name, JSON.stringify([...rows.values()]));
      rows.clear();
    }
    return batch;
  }

  take({ type, aggregateId: id, data: given, recordedAt }: RecordedEvent): void {
    // The types below have these data; the schemas of the shop say so.
    const data = given as TradeData;
    switch (type) {
      case 'order.created': {
        let units = 0;
        for (const { quantity } of data.lines) units += quantity;
        const { customerId, country, lines, totalMills, orderedAt } = data;
        this.#set('orders', id, [id, customerId, country, lines.length, units, totalMills, orderedAt, 'created']);
        this.#add('sales_by_country', country, 4, [1, lines.length, units, totalMills]);
        this.#add('sales_by_day', day(orderedAt), 5, [1, units, totalMills, 0, 0]);
        return;
      }
      case 'return.accepted':
        this.#add('sales_by_day', day(data.returnedAt), 5, [0, 0, 0, 1, data.totalMills]);
        return;
      case 'order.reserved':
        return this.#status(id, 'reserved');
      case 'order.cancelled':
        return this.#status(id, 'cancelled');
      case 'order.shipped':
        return this.#status(id, 'shipped');
      case 'email.sent':
        if (data.template === 'order-shipped') this.#status(data.about, 'mailed');
        return;
      case 'payment.processed':
        this.#set('payments', id, [id, data.customerId, data.country, data.amountMills, recordedAt]);
        this.#status(id, 'paid');
        return;
      case 'stock.replenished':
        return this.#stock(id, data, [data.quantity, 0, 0, 0]);
      case 'stock.reserved':
        return this.#stock(id, data, [0, data.quantity, 0, 0]);
      case 'stock.released':
        return this.#stock(id, data, [0, -data.quantity, 0, 0]);
      case 'stock.returned':
        return this.#stock(id, data, [0, 0, data.quantity, 0]);
      case 'stock.adjusted':
        return this.#stock(id, data, [0, 0, 0, data.quantity]);
    }
  }

  #stock(id: string, { onHand }: TradeData, amounts: readonly number[]): void {
    this.#add('stock', id, 5, amounts)[5] = onHand;
  }

  #status(id: string, status: string): void {
    const row = this.#rows.get('orders')?.get(id);
    if (row === undefined || row[7] === 'cancelled') return;
    row[7] = status;
    this.#set('orders', id, row);
  }

  #add(table: TableName, key: string, columns: number, amounts: readonly number[]): Row {
    const row = this.#rows.get(table)?.get(key) ?? [key, ...new Array<number>(columns).fill(0)];
    amounts.forEach((amount, i) => {
      row[i + 1] = Number(row[i + 1]) + amount;
    });
    this.#set(table, key, row);
    return row;
  }

  #set(table: TableName, key: string, row: Row): void {
    this.#rows.get(table)?.set(key, row);
    this.#changed.get(table)?.set(key, row);
  }
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function open(file: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, (error) => (error === null ? resolve(database) : reject(error)));
  });
}
