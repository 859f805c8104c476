/**
 * Sends invoices to the shop in their order, as fast as the shop keeps up.
 *
 * Every command has an id made of its invoice, so a repeat of the same rows changes nothing. What is under way is
 * bounded twice: commands without an answer, and events that reactions and read models have yet to take in; memory stays
 * flat however large the file is, and followers find their events in memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ActorSystem, TroupeError } from 'troupe';
import { inventory } from '../../actors/inventory/inventory.js';
import { goodsReturn } from '../../actors/order/goods-return.js';
import { order } from '../../actors/order/order.js';
import { ledger } from '../../actors/payment/ledger.js';
import type { Invoice, Line } from './invoice-book.js';

const LIMITS = {
  /** Lines of invoices without an answer. The largest order has 1,114; one that is larger still goes alone. */
  linesInFlight: 2_000,
  /**
   * Events between the head and the slowest follower: two batches of a read model, and a quarter of what the system keeps
   * in memory for followers. What is under way outlives young generations; more of it makes longer pauses and no more events.
   */
  lag: 4_000,
  /** Lines sent between two looks at the lag. */
  linesPerLook: 250,
  lookAgainMs: 5,
  /** Until a command fails for want of an answer: far longer than any queue in front of it takes. */
  answer: '2m',
} as const;

export interface ReplayOptions {
  readonly signal: AbortSignal;
  /** Whether an invoice may be left out because the journal has it. */
  isFinished(invoice: Invoice): boolean;
  /** Is told the rows done so far, after each invoice. */
  onProgress(rows: number): void;
}

export interface Replayed {
  /** Invoices left out as finished. */
  readonly skipped: number;
  /** Invoices (or adjustments) that the journal has already, but with other lines. */
  readonly conflicts: readonly string[];
}

/**
 * Resolves when every command is answered; what reactions make of them may still be under way.
 *
 * @param invoices taken out as they are sent, so that a year of them doesn't stay in memory until the end
 */
export async function replay(system: ActorSystem, invoices: Invoice[], options: ReplayOptions): Promise<Replayed> {
  const underWay = new Set<Promise<void>>();
  const conflicts: string[] = [];
  let failure: Error | undefined;
  let linesUnderWay = 0;
  let linesSinceLook = 0;
  let rows = 0;
  let skipped = 0;

  async function sendOne(invoice: Invoice): Promise<void> {
    try {
      await send(system, invoice);
    } catch (error) {
      if (error instanceof TroupeError && error.code === 'TROUPE_COMMAND_ID_REUSED') conflicts.push(invoice.number);
      else failure ??= error instanceof Error ? error : new Error(String(error));
    } finally {
      linesUnderWay -= invoice.lines.length;
      rows += invoice.lines.length;
      options.onProgress(rows);
    }
  }

  // From the end: taking the first of an array moves all others.
  invoices.reverse();
  for (let invoice = invoices.pop(); invoice !== undefined; invoice = invoices.pop()) {
    if (options.signal.aborted || failure !== undefined) break;
    const lines = invoice.lines.length;
    if (options.isFinished(invoice)) {
      skipped += 1;
      rows += lines;
      options.onProgress(rows);
      continue;
    }
    while (linesUnderWay > 0 && linesUnderWay + lines > LIMITS.linesInFlight) await Promise.race(underWay);
    linesSinceLook += lines;
    if (linesSinceLook > LIMITS.linesPerLook) {
      linesSinceLook = 0;
      while (lagOf(system) > LIMITS.lag && !options.signal.aborted) await sleep(LIMITS.lookAgainMs);
    }
    linesUnderWay += lines;
    const task = sendOne(invoice).finally(() => underWay.delete(task));
    underWay.add(task);
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure;
  return { skipped, conflicts };
}

/** Events that the slowest follower has before it; one that has stopped for good is no reason to wait. */
export function lagOf(system: ActorSystem): number {
  const { reactions, sagas, projections } = system.metrics();
  let lag = 0;
  for (const reaction of [...reactions, ...sagas]) lag = Math.max(lag, reaction.lag);
  for (const view of projections) if (view.state !== 'stopped') lag = Math.max(lag, view.lag);
  return lag;
}

async function send(system: ActorSystem, invoice: Invoice): Promise<void> {
  const { number, customerId, country, at } = invoice;
  const timeout = LIMITS.answer;
  switch (invoice.kind) {
    case 'order': {
      const input = { customerId, country, lines: invoice.lines, orderedAt: at };
      await system.ref(order, number).ask('create', input, { id: `retail:${number}:create`, timeout });
      return;
    }
    case 'return': {
      const lines = invoice.lines.map((line) => ({ ...line, quantity: Math.abs(line.quantity) }));
      const input = { customerId, country, lines, returnedAt: at };
      await system.ref(goodsReturn, number).ask('accept', input, { id: `retail:${number}:accept`, timeout });
      return;
    }
    case 'stock-adjustment': {
      const adjust = ({ sku, quantity }: Line, id: string) =>
        system.ref(inventory, sku).ask('adjust', { reference: number, quantity }, { id, timeout });
      await Promise.all(numbered(invoice).map(([line, id]) => adjust(line, id)));
      return;
    }
    case 'ledger-adjustment': {
      const adjust = ({ sku, quantity, priceMills }: Line, id: string) => {
        const amountMills = quantity * priceMills + 0; // `-0` becomes 0: JSON has no -0.
        return system.ref(ledger, number).ask('adjust', { account: sku, amountMills, bookedAt: at }, { id, timeout });
      };
      await Promise.all(numbered(invoice).map(([line, id]) => adjust(line, id)));
      return;
    }
  }
}

/** Each line with the id of its command: how-many-th of its stock code in the invoice. Lines are sorted by stock code. */
function numbered({ number, lines }: Invoice): [Line, string][] {
  let nth = 0;
  return lines.map((line, index) => {
    nth = line.sku === lines[index - 1]?.sku ? nth + 1 : 1;
    return [line, `retail:${number}:${line.sku}:${nth}`];
  });
}
