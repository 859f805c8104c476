/** The checks: what the read models say against what the rows add up to, and against each other. */
import type { ActorSystem, ScenarioContext } from 'troupe';
import { orders } from '../../actors/order/orders.js';
import { returns } from '../../actors/order/returns.js';
import { salesByCountry } from '../../actors/order/sales-by-country.js';
import { salesByDay } from '../../actors/order/sales-by-day.js';
import { EXACT_TOTALS, type ExpectedTotals } from './expected-totals.js';
import type { Recorded } from './recorded-totals.js';

export interface CheckedTotals {
  readonly recorded: Recorded;
  readonly expected: ExpectedTotals;
  /** Invoices that the journal has with other lines. */
  readonly conflicts: readonly string[];
}

export async function checkTotals(ctx: ScenarioContext, system: ActorSystem, facts: CheckedTotals): Promise<void> {
  const { recorded, expected, conflicts } = facts;
  const { totals, stock } = recorded;
  const exact = expected.totals();
  for (const name of EXACT_TOTALS) ctx.check(name, exact[name], totals[name]);

  const balance = totals.unitsReplenished - totals.unitsSold + totals.unitsReturned + totals.unitsAdjusted;
  ctx.check('on hand = replenished - sold + returned + adjusted', balance, totals.unitsOnHand);
  ctx.check(
    'stock codes for which it is not so',
    0,
    stock.filter((row) => row.on_hand !== row.replenished - row.sold + row.returned + row.adjusted).length,
  );
  ctx.check('stock codes that differ from the file', 0, differingCodes(facts));
  ctx.check(
    'stock codes below zero though nothing was written off',
    0,
    stock.filter(({ sku, on_hand }) => on_hand < 0 && (expected.codes.get(sku)?.adjusted ?? 0) === 0).length,
  );

  const mailed = await system.view(orders).count({ where: { status: 'mailed' } });
  ctx.check('orders reserved, paid, shipped and mailed', exact.orders, mailed);
  const back = await system.view(returns).find();
  const settled = back.filter((row) => row.refunded_mills === row.total_mills && row.mailed === 1).length;
  ctx.check('returns refunded in full and mailed', exact.returns, settled);
  const countries = await system.view(salesByCountry).find();
  ctx.check('sales by country add up to the sales', totals.salesMills, sum(countries.map((row) => row.total_mills)));
  const days = await system.view(salesByDay).find();
  ctx.check('sales by day add up to the sales', totals.salesMills, sum(days.map((row) => row.total_mills)));

  const metrics = system.metrics();
  ctx.check('dead letters', 0, system.deadLetters.list().length);
  ctx.check('parked keys', 0, sum(metrics.reactions.map(({ parkedKeys }) => parkedKeys)));
  ctx.check('events that a reaction has yet to see', 0, Math.max(0, ...metrics.reactions.map(({ lag }) => lag)));
  if (conflicts.length > 0) {
    ctx.checkThat('each invoice is in the journal as in the file', false, conflictsAdvice(conflicts));
  }
}

function differingCodes({ recorded, expected }: CheckedTotals): number {
  const seen = new Map(recorded.stock.map((row) => [row.sku, row]));
  let differing = 0;
  for (const [sku, code] of expected.codes) {
    const row = seen.get(sku);
    seen.delete(sku);
    if (row?.sold !== code.sold || row.returned !== code.returned || row.adjusted !== code.adjusted) differing += 1;
  }
  return differing + seen.size;
}

function conflictsAdvice(conflicts: readonly string[]): string {
  const named = conflicts.slice(0, 5).join(', ');
  const more = conflicts.length > 5 ? ` and ${conflicts.length - 5} more` : '';
  return `the journal has ${named}${more} with other lines and keeps them: give each version of the data a journal of its own`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
