/** What people read in the end: what happened, what sold best, where it went, and what to try next. */
import type { ActorSystem, ScenarioContext } from 'troupe';
import { stock } from '../../actors/inventory/stock.js';
import { salesByCountry } from '../../actors/order/sales-by-country.js';
import { salesByDay } from '../../actors/order/sales-by-day.js';
import type { InvoiceBook } from './invoice-book.js';
import type { Recorded } from './recorded-totals.js';

const COUNTRIES_SHOWN = 8;

export interface StoryFacts {
  /** As given with `--input`. */
  readonly input: string | undefined;
  readonly rows: number;
  readonly rejectedRows: number;
  /** Invoices that `--resume` left out. */
  readonly skipped: number;
  readonly recorded: Recorded;
  readonly book: InvoiceBook;
  /** How late the main thread's loop was at most, in 99 of 100 looks. */
  readonly loopDelayMs: number;
}

export async function tellStory(ctx: ScenarioContext, system: ActorSystem, facts: StoryFacts): Promise<void> {
  const { recorded, book } = facts;
  const { totals } = recorded;
  ctx.say();
  ctx.say(`What happened ${await period(system)}`);
  ctx.say(
    `  ${pounds(totals.salesMills)} were ordered: ${count(totals.unitsSold)} pieces in ${count(totals.orders)} orders with ${count(totals.orderLines)} lines.`,
  );
  ctx.say(
    `  ${count(totals.ordersShipped)} orders were paid and shipped, ${count(recorded.usersRegistered)} customers registered, ${count(totals.emailsSent)} mails sent.`,
  );
  ctx.say(
    `  ${count(totals.returns)} returns brought back ${count(totals.unitsReturned)} pieces for ${pounds(totals.refundsMills)}.`,
  );
  ctx.say(
    `  The warehouse took in ${count(totals.unitsReplenished)} pieces; ${count(totals.unitsOnHand)} are left of ${count(recorded.stock.length)} goods.`,
  );
  if (totals.stockAdjustments + totals.ledgerAdjustments > 0) {
    ctx.say(
      `  The books were corrected ${count(totals.stockAdjustments)} times for stock, ${count(totals.ledgerAdjustments)} times for money.`,
    );
  }
  if (facts.rejectedRows > 0)
    ctx.say(
      `  ${count(facts.rejectedRows)} of ${count(facts.rows)} rows were dropped as unreadable; each is named above.`,
    );
  if (facts.skipped > 0) ctx.say(`  ${count(facts.skipped)} invoices were in the journal already.`);
  ctx.say(
    `  Meanwhile the main thread's loop was never later than ${facts.loopDelayMs.toFixed(0)} ms in 99 of 100 looks.`,
  );

  ctx.say();
  const best = await system.view(stock).find({ orderBy: { sold: 'desc' }, limit: 5 });
  ctx.say('The best-selling goods');
  for (const { sku, sold } of best) {
    if (sold > 0) ctx.say(`  ${count(sold).padStart(7)}  ${book.describe(sku)} (${sku})`);
  }

  ctx.say();
  const countries = await system.view(salesByCountry).find({ orderBy: { total_mills: 'desc' } });
  const shown = countries.slice(0, COUNTRIES_SHOWN);
  const others = countries.slice(COUNTRIES_SHOWN);
  const bars = shown.map((row) => ({ label: row.country, value: row.total_mills, text: pounds(row.total_mills) }));
  if (others.length > 0) {
    const value = others.reduce((sum, row) => sum + row.total_mills, 0);
    bars.push({ label: `${others.length} others`, value, text: pounds(value) });
  }
  ctx.bars(bars, { title: 'Sales by country' });

  const { journal } = ctx;
  const commands = [
    [retailCommand(facts.input, journal), 'the same rows again: nothing changes'],
    [`${retailCommand(facts.input, journal)} --resume`, 'after Ctrl-C or kill -9 half-way: goes on where it stopped'],
    [
      `sqlite3 ${shellWord(`${journal}.views`)} 'select * from stock limit 9'`,
      'read models are tables; the journal has event_log',
    ],
  ] as const;
  ctx.say();
  ctx.say(`The journal is ${journal}, its read models are in ${journal}.views. To try next:`);
  for (const [command, effect] of commands) {
    ctx.say(`  ${command}`);
    ctx.say(`      ${effect}`);
  }
}

/** The command that runs the same input on this journal. */
export function retailCommand(input: string | undefined, journal: string): string {
  const given = input === undefined ? '' : ` --input ${shellWord(input)}`;
  return `npm run scenario -- retail${given} --journal ${shellWord(journal)}`;
}

async function period(system: ActorSystem): Promise<string> {
  const [first] = await system.view(salesByDay).find({ orderBy: { day: 'asc' }, limit: 1 });
  const [last] = await system.view(salesByDay).find({ orderBy: { day: 'desc' }, limit: 1 });
  if (first === undefined || last === undefined) return 'when nobody ordered';
  return first.day === last.day ? `on ${first.day}` : `from ${first.day} to ${last.day}`;
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/** A path as a shell takes it. */
function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

/** Mills as pounds and pence. */
function pounds(mills: number): string {
  return (mills / 1_000).toLocaleString('en-GB', { style: 'currency', currency: 'GBP' });
}
