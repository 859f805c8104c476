/**
 * The same orders, the same services, the same mishaps, both ways: what each costs, and what each is good for.
 */
import { rm } from 'node:fs/promises';
import { defineScenario, type ScenarioContext } from 'troupe';
import { type Mishap, type PlannedOrder, planOrders } from '../fulfilment/mishaps.js';
import { checkedOrders, MERMAID_OPTION, ORDERS_OPTION } from '../fulfilment/options.js';
import { eventsOfOrder, play, type Played, quantile } from '../fulfilment/play.js';
import { writeDiagram } from '../fulfilment/sequence-diagram.js';
import { CHOREOGRAPHY, ORCHESTRATION } from '../fulfilment/ways.js';
import { claims } from './claims.js';

export const choreographyVsOrchestration = defineScenario({
  name: 'choreography-vs-orchestration',
  title: 'With and without a coordinator',
  goal: 'Show, by the same orders and the same failures, what choreography and orchestration each cost and give.',
  method:
    'Orders of a real day go through the same services twice, joined by reactions and joined by sagas, with mishaps drawn by the seed. Both journals are read afterwards.',
  expected:
    'Both ways every order ends completed or undone, and the same ones complete. Choreography knows less in each place and says more; orchestration knows everything in one place and undoes only what was done.',
  options: { ...ORDERS_OPTION, ...MERMAID_OPTION },
  async run(ctx) {
    const orders = await planOrders(checkedOrders(ctx.options.orders), () => ctx.random());
    const { journal, workers } = ctx;
    const other = `${journal}.orchestration.db`;
    if (!ctx.journalGiven)
      for (const end of ['', '-wal', '-shm', '.views']) await rm(`${other}${end}`, { force: true });
    const choreographed = await play({ way: CHOREOGRAPHY, orders, journal, workers });
    const orchestrated = await play({ way: ORCHESTRATION, orders, journal: other, workers });

    ctx.say(`${orders.length} orders; mishaps: ${mishapsText(orders)}.`);
    ctx.say();
    sideBySide(ctx, choreographed, orchestrated);
    ctx.say();
    for (const { claim, shown } of claims(choreographed, orchestrated)) ctx.say(`  ${claim}: ${shown}`);
    const example = orders.find(({ mishap }) => mishap === 'no carrier');
    if (example !== undefined) {
      const { number } = example.invoice;
      const parts = [choreographed, orchestrated].map((played) => ({
        title: `order ${number}, which no carrier takes, by ${played.way.name}`,
        events: eventsOfOrder(played, number),
      }));
      await writeDiagram(ctx.options.mermaid, parts, (text) => ctx.say(text));
    }
    ctx.say(`The journals are ${journal} and ${other}.`);

    ctx.events(choreographed.events.length + orchestrated.events.length);
    ctx.total('orders', orders.length);
    for (const played of [choreographed, orchestrated]) {
      const { name } = played.way;
      ctx.total(`${name}Messages`, played.messages);
      ctx.total(`${name}Events`, played.events.length);
      ctx.total(`${name}Seconds`, Math.round(played.seconds * 1_000) / 1_000);
      ctx.total(`${name}Undone`, undoneIn(played).length);
      ctx.check(`${name}: orders that ended neither completed nor undone`, [], played.faults);
    }
    // When exactly a customer's change of mind comes differs; everything else has to end alike.
    const fated = new Set(orders.filter(({ cancelAt }) => cancelAt === undefined).map(({ invoice }) => invoice.number));
    const reasons = (played: Played) => undoneIn(played).filter((text) => fated.has(text.split(' ')[0] ?? ''));
    ctx.check('orders undone, and why', reasons(choreographed), reasons(orchestrated));
    for (const { claim, holds, shown } of claims(choreographed, orchestrated)) ctx.checkThat(claim, holds, shown);
  },
});

export default choreographyVsOrchestration;

function undoneIn({ ends }: Played): string[] {
  return [...ends.values()]
    .flatMap(({ id, cancelled }) => (cancelled === undefined ? [] : [`${id} ${cancelled}`]))
    .toSorted();
}

function mishapsText(orders: readonly PlannedOrder[]): string {
  const counts = new Map<Mishap, number>();
  for (const { mishap } of orders) counts.set(mishap, (counts.get(mishap) ?? 0) + 1);
  return [...counts].map(([mishap, count]) => `${count} ${mishap}`).join(', ');
}

function sideBySide(ctx: Pick<ScenarioContext, 'say'>, left: Played, right: Played): void {
  const rows: readonly (readonly [string, (played: Played) => string])[] = [
    ['messages to services', ({ messages }) => messages.toLocaleString('en-GB')],
    ['events', ({ events }) => events.length.toLocaleString('en-GB')],
    ['seconds', ({ seconds }) => seconds.toFixed(2)],
    ['customer answered after', ({ answerMs }) => `${quantile(answerMs, 0.5).toFixed(1)} ms`],
    ['flow ended after, median', ({ flowMs }) => `${quantile(flowMs, 0.5)} ms`],
    ['flow ended after, 99 %', ({ flowMs }) => `${quantile(flowMs, 0.99)} ms`],
    ['who tells services', ({ knows }) => `${knows.size} parts`],
    ['most services known by one', ({ knows }) => String(Math.max(...[...knows.values()].map(({ size }) => size)))],
    ['orders undone', ({ undoing }) => String(undoing.orders)],
    ['events to undo one order', ({ undoing }) => (undoing.events / Math.max(1, undoing.orders)).toFixed(1)],
    ['the flow can be read in', ({ knows }) => `${knows.size} ${knows.size === 1 ? 'place' : 'places'}`],
  ];
  ctx.say(`${''.padEnd(28)}${left.way.name.padStart(16)}${right.way.name.padStart(16)}`);
  for (const [label, text] of rows) ctx.say(`${label.padEnd(28)}${text(left).padStart(16)}${text(right).padStart(16)}`);
}
