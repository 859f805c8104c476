/**
 * Too many events: 1,114 lines of one order within a minute, and everybody who watches is told of each. Summarised by key
 * and time, they are told the same in a few.
 */
import { fileURLToPath } from 'node:url';
import { filter, lastValueFrom, map, mergeMap, take, toArray } from 'rxjs';
import { ActorSystem, defineScenario, type RecordedEvent } from 'troupe';
import { ofType, summarize } from 'troupe/operators';
import { readInvoices } from '../retail/read-invoices.js';
import { basket, dashboard, type Figures, type LineAdded } from './cast.js';

/** The largest invoice of the year; seen from `dist/scenarios/event-explosion/`. */
const INVOICE = new URL('../../../scenarios/data/online-retail-invoice-573585.csv', import.meta.url);

export const eventExplosion = defineScenario({
  name: 'event-explosion',
  title: 'Eleven hundred events in a minute',
  goal: 'Show how related events become a few: the same figures, at a fraction of the messages.',
  method:
    'The 1,114 lines of the largest real invoice are added one by one. One dashboard is told of each line; another of summaries by group of goods, each after 100 lines or 200 ms.',
  expected:
    'Both dashboards end with the same lines, pieces and pounds; the second with far fewer messages, and sooner.',
  options: { lines: { type: 'number', default: 1_114, description: 'lines of the invoice to add' } },
  async run(ctx) {
    const { journal, workers } = ctx;
    const { book } = await readInvoices(fileURLToPath(INVOICE), () => undefined);
    const lines = book
      .close()
      .flatMap((invoice) => invoice.lines)
      .slice(0, ctx.options.lines)
      .map(({ sku, quantity, priceMills }): LineAdded => ({ sku, quantity, mills: quantity * priceMills }));
    const system = await ActorSystem.start({
      name: 'explosion',
      cast: new URL('./cast.js', import.meta.url),
      journal,
      workers,
    });
    const before = system.metrics().position;
    const run = `run${before}`;
    try {
      const start = performance.now();
      const added = Promise.all(lines.map((line) => system.ref(basket, run).ask('add', line)));
      const mine = () =>
        system.history({ after: before, live: true }).pipe(
          ofType('line.added'),
          filter(({ aggregateId }) => aggregateId === run),
          take(lines.length),
          // Only `line.added` of this basket passes.
          map((event) => (event as RecordedEvent<string, LineAdded>).data),
        );

      // One message for each line.
      const plain = await timed(() =>
        lastValueFrom(
          mine().pipe(
            mergeMap(({ quantity, mills }) => tell(system, `each-${run}`, { lines: 1, pieces: quantity, mills }), 100),
            toArray(),
          ),
        ),
      );
      await added;
      const burstMs = performance.now() - start;
      // By key and time.
      const summarised = await timed(() =>
        lastValueFrom(
          mine().pipe(
            summarize({ by: ({ sku }) => sku.slice(0, 2), every: '200ms', count: 100 }, addUp),
            mergeMap((figures) => tell(system, `summary-${run}`, figures), 100),
            toArray(),
          ),
        ),
      );

      const each = await system.state(dashboard, `each-${run}`);
      const sums = await system.state(dashboard, `summary-${run}`);
      const groups = await lastValueFrom(
        mine().pipe(summarize({ by: ({ sku }) => sku.slice(0, 2), count: lines.length }, addUpNamed), toArray()),
      );
      ctx.bars(
        groups
          .toSorted((one, other) => other.mills - one.mills)
          .slice(0, 6)
          .map(({ group, mills, lines: count }) => ({
            label: `goods ${group}…`,
            value: mills,
            text: `£${Math.round(mills / 1_000)} in ${count} lines`,
          })),
        { title: 'What the summaries say' },
      );
      const rate = (ms: number): number => Math.round((lines.length / ms) * 1_000);
      ctx.bars(
        [
          {
            label: 'a message for each line',
            value: each.messages,
            text: `${each.messages} messages, ${rate(plain)} lines/s`,
          },
          { label: 'summarised', value: sums.messages, text: `${sums.messages} messages, ${rate(summarised)} lines/s` },
        ],
        { title: 'What the dashboards were told' },
      );
      ctx.events(system.metrics().position - before);
      ctx.total('lines', lines.length);
      ctx.total('burstMs', Math.round(burstMs));
      ctx.total('messagesBefore', each.messages);
      ctx.total('messagesAfter', sums.messages);
      ctx.total('linesPerSecondBefore', rate(plain));
      ctx.total('linesPerSecondAfter', rate(summarised));
      const right = {
        lines: lines.length,
        pieces: lines.reduce((sum, { quantity }) => sum + quantity, 0),
        mills: lines.reduce((sum, { mills }) => sum + mills, 0),
      };
      const figuresOf = ({ lines: count, pieces, mills }: Figures): Figures => ({ lines: count, pieces, mills });
      ctx.check('told of each line, the dashboard has the right figures', right, figuresOf(each));
      ctx.check('told of summaries, the dashboard has the same', right, figuresOf(sums));
      ctx.check('a message for each line', lines.length, each.messages);
      ctx.checkThat(
        'the summaries are a fifth of that, or less',
        sums.messages * 5 <= each.messages,
        `${sums.messages} instead of ${each.messages}`,
      );
      ctx.check(
        'every line is in the log, whatever was summarised',
        lines.length,
        (await system.state(basket, run)).lines,
      );
    } finally {
      await system.stop();
    }
  },
});

function addUp(sum: Figures | undefined, { quantity, mills }: LineAdded): Figures {
  return { lines: (sum?.lines ?? 0) + 1, pieces: (sum?.pieces ?? 0) + quantity, mills: (sum?.mills ?? 0) + mills };
}

function addUpNamed(sum: (Figures & { group: string }) | undefined, line: LineAdded): Figures & { group: string } {
  return { ...addUp(sum, line), group: line.sku.slice(0, 2) };
}

async function tell(system: ActorSystem, id: string, figures: Figures): Promise<void> {
  await system.ref(dashboard, id).ask('tell', figures);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
