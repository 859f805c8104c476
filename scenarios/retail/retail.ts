/**
 * The main job: a real trading day (or year) through the services, proved against the file it came from.
 *
 * Read everything, replay in order of time, wait until nothing is left to do, then ask the read models what happened
 * and compare with what the rows add up to.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { ActorSystem, defineScenario, type ScenarioContext, ScenarioInputError } from 'troupe';
import { orders } from '../../actors/order/orders.js';
import { returns } from '../../actors/order/returns.js';
import { disordered } from '../trading-day/disorder.js';
import { checkTotals } from './check-totals.js';
import type { Invoice } from './invoice-book.js';
import { readInvoices } from './read-invoices.js';
import { readRecorded } from './recorded-totals.js';
import { type Replayed, replay } from './replay.js';
import { retailCommand, tellStory } from './story.js';
import { watchProgress } from './watch-progress.js';

const CASTS: ReadonlyMap<string, URL> = new Map([
  ['choreography', new URL('../../actors/index.js', import.meta.url)],
  ['orchestration', new URL('../../actors/orchestrated.js', import.meta.url)],
]);

/** Seen from where this file is compiled to, `dist/scenarios/retail/`. */
const DEFAULT_INPUT = new URL('../../../scenarios/data/online-retail-2011-12-05.csv', import.meta.url);

/** Milliseconds between two looks at how late the main thread's loop is. */
const LOOK_EVERY_MS = 10;

/** Until reactions and read models have caught up with the last command; they are seconds behind at most. */
const SETTLE_TIMEOUT = '10m';

// A type and no interface: helpers take the context of any scenario, whose options are a record.
type RetailOptions = {
  readonly input: string | undefined;
  readonly resume: boolean;
  readonly way: string;
  readonly shuffle: number;
  readonly repeat: number;
};

export const retail = defineScenario({
  name: 'retail',
  title: 'A trading day of a real shop',
  goal: 'Show that services joined by events alone do real work, and that nothing is lost or done twice on the way.',
  method:
    'Each invoice of the CSV becomes one command. Reactions do the rest: reserve stock, charge, ship, mail, take back, refund. Every event is on disk before anyone sees it.',
  expected:
    'The totals in the journal equal what the rows of the file add up to, to the piece and the tenth of a penny.',
  options: {
    input: {
      type: 'string',
      placeholder: 'FILE',
      description: 'CSV, plain or gzip, with the columns of UCI Online Retail; default: 2011-12-05',
    },
    way: {
      type: 'string',
      default: 'choreography',
      placeholder: 'choreography|orchestration',
      description: 'services that react to each other, or one coordinator; one of them for one journal',
    },
    shuffle: {
      type: 'number',
      default: 0,
      placeholder: 'WINDOW',
      description: 'let invoices overtake each other by up to so many places, by chance',
    },
    repeat: {
      type: 'number',
      default: 0,
      placeholder: 'N',
      description: 'send every N-th invoice twice',
    },
    resume: {
      type: 'boolean',
      description: 'go on with the journal of a run that was cut short: invoices it has are skipped',
    },
  },
  keepJournal: ({ resume }) => resume,
  run: runRetail,
});

export default retail;

async function runRetail(ctx: ScenarioContext<RetailOptions>): Promise<void> {
  const cast = CASTS.get(ctx.options.way);
  if (cast === undefined) {
    throw new ScenarioInputError(`--way ${ctx.options.way}: give choreography or orchestration`);
  }
  const file = ctx.options.input ?? fileURLToPath(DEFAULT_INPUT);
  const { book, expected, rows, rejectedRows } = await readInvoices(file, (message) => ctx.warn(message));
  const invoices = arriving(ctx, book.close());
  const rowsToSend = invoices.reduce((sum, { lines }) => sum + lines.length, 0);
  const system = await ActorSystem.start({ name: 'retail', cast, workers: ctx.workers, journal: ctx.journal });
  // How late the loop of this thread, the app's own, is while the system works.
  const loopDelay = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  loopDelay.enable();
  try {
    const isFinished = ctx.options.resume ? await finishedInvoices(system) : () => false;
    if (ctx.options.resume) await retryParked(ctx, system);
    const headBefore = system.metrics().position;
    const progress = watchProgress(ctx, system, rowsToSend);
    let replayed: Replayed;
    try {
      replayed = await replay(system, invoices, {
        signal: ctx.signal,
        isFinished,
        onProgress: (done) => progress.show(done),
      });
      if (!ctx.signal.aborted) await Promise.race([system.settled({ timeout: SETTLE_TIMEOUT }), aborted(ctx.signal)]);
    } finally {
      progress.stop();
    }
    loopDelay.disable();
    ctx.events(system.metrics().position - headBefore);
    if (ctx.signal.aborted) {
      ctx.say(`Cut short. To go on where it stopped: ${retailCommand(ctx.options.input, ctx.journal)} --resume`);
      return;
    }

    const recorded = await readRecorded(system);
    ctx.total('rows', rows);
    ctx.total('rejectedRows', rejectedRows);
    for (const [name, value] of Object.entries(recorded.totals)) ctx.total(name, value);
    await tellStory(ctx, system, {
      input: ctx.options.input,
      rows,
      rejectedRows,
      skipped: replayed.skipped,
      recorded,
      book,
      loopDelayMs: Math.max(0, loopDelay.percentile(99) / 1e6 - LOOK_EVERY_MS),
    });
    await checkTotals(ctx, system, { recorded, expected, conflicts: replayed.conflicts });
  } finally {
    await system.stop();
  }
}

/** The invoices as the shop gets them: in order, or as an unreliable source would send them. */
function arriving(ctx: ScenarioContext<RetailOptions>, invoices: Invoice[]): Invoice[] {
  const { shuffle, repeat } = ctx.options;
  for (const [name, value] of Object.entries({ shuffle, repeat })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ScenarioInputError(`--${name} ${value}: give a whole number, 0 for none`);
    }
  }
  if (shuffle === 0 && repeat === 0) return invoices;
  const repeatEvery = repeat === 0 ? Infinity : repeat;
  return disordered(invoices, { window: shuffle, repeatEvery, loseEvery: Infinity, random: () => ctx.random() });
}

/** Orders and returns the journal has. What is left to do for them its reactions do by themselves. */
async function finishedInvoices(system: ActorSystem): Promise<(invoice: Invoice) => boolean> {
  for (const view of [system.view(orders), system.view(returns)])
    await view.caughtUp(undefined, { timeout: SETTLE_TIMEOUT });
  const numbers = new Set<string>();
  for (const { id } of await system.view(orders).find()) numbers.add(id);
  for (const { id } of await system.view(returns).find()) numbers.add(id);
  return ({ kind, number }) => (kind === 'order' || kind === 'return') && numbers.has(number);
}

/** What reactions gave up in the run before, for want of time perhaps, gets another chance. */
async function retryParked(ctx: ScenarioContext, system: ActorSystem): Promise<void> {
  const parked = system.deadLetters.list().filter(({ reason }) => reason === 'parked');
  // What fails again stays a dead letter, and a check shows it.
  await Promise.allSettled(parked.map(({ id }) => system.deadLetters.retry(id)));
  if (parked.length > 0) ctx.say(`${parked.length} events that reactions had given up are tried again.`);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
