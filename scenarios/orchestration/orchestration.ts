/**
 * One coordinator that knows the flow: readable in one place, visible at any time, undone in order; and what it means
 * that it stops in the middle.
 */
import { defineScenario } from 'troupe';
import { fulfilOrder } from '../../actors/fulfilment/fulfil-order.js';
import { planOrders } from '../fulfilment/mishaps.js';
import { checkedOrders, MERMAID_OPTION, ORDERS_OPTION } from '../fulfilment/options.js';
import { eventsOfOrder, play, startShop } from '../fulfilment/play.js';
import { writeDiagram } from '../fulfilment/sequence-diagram.js';
import { ORCHESTRATION } from '../fulfilment/ways.js';

export const orchestration = defineScenario({
  name: 'orchestration',
  title: 'One coordinator for each order',
  goal: 'Show fulfilment with somebody in charge: clear, undone in one place, visible; coupled to the coordinator.',
  method:
    'The same orders and mishaps as in choreography, by a durable saga for each order. In the middle of the run the system is stopped and started again.',
  expected:
    'Every order ends completed or undone, each undone in the opposite order of what was done. The coordinators of before the restart go on where they were.',
  options: { ...ORDERS_OPTION, ...MERMAID_OPTION },
  async run(ctx) {
    const orders = await planOrders(checkedOrders(ctx.options.orders), () => ctx.random());
    const { journal, workers } = ctx;
    const way = ORCHESTRATION;
    let before = 0;
    const played = await play({
      way,
      orders,
      journal,
      workers,
      halfway: async (system) => {
        before = system
          .metrics()
          .sagas.reduce((sum, { done, failed, cancelled }) => sum + done + failed + cancelled, 0);
        await system.stop();
        return startShop({ way, journal, workers });
      },
    });
    const { events, faults, ends, knows } = played;
    const undone = [...ends.values()].filter(({ cancelled }) => cancelled !== undefined).length;
    ctx.say(
      `${orders.length} orders, of which ${undone} were undone; ${events.length} events, ${played.messages} messages.`,
    );
    ctx.say(`${before} coordinators had ended when the system was stopped; the others went on afterwards.`);
    ctx.say('Who tells whom:');
    for (const [name, targets] of knows) ctx.say(`  ${name.padEnd(16)} ${[...targets].join(', ')}`);

    const system = await startShop({ way, journal, workers });
    const states = new Map<string, number>();
    try {
      for (const { invoice } of orders) {
        const { state } = await system.ref(fulfilOrder, invoice.number).status();
        states.set(state, (states.get(state) ?? 0) + 1);
      }
    } finally {
      await system.stop();
    }
    ctx.bars(
      [...states].map(([label, value]) => ({ label, value })),
      { title: 'Where the coordinators are' },
    );
    const example = orders.find(({ mishap }) => mishap === 'no carrier');
    const undoing = example === undefined ? [] : undoneIn(eventsOfOrder(played, example.invoice.number));
    if (example !== undefined) {
      const { number } = example.invoice;
      ctx.say(`Order ${number}, which no carrier takes, was undone so: ${undoing.join(', ')}.`);
      ctx.say(`Its steps, with times: npx troupe sagas show ${journal} fulfil-order/${number}`);
      const parts = [{ title: `order ${number}, which no carrier takes`, events: eventsOfOrder(played, number) }];
      await writeDiagram(ctx.options.mermaid, parts, (text) => ctx.say(text));
    }

    ctx.events(events.length);
    ctx.total('orders', orders.length);
    ctx.total('undone', undone);
    ctx.total('messages', played.messages);
    ctx.check('orders that ended neither completed nor undone', [], faults);
    ctx.check('dead letters', 0, played.deadLetters);
    ctx.check('coordinators that have ended', orders.length, sum(states, ['done', 'failed', 'cancelled']));
    ctx.check(
      'coordinators that failed or were cancelled, one for each order undone',
      undone,
      sum(states, ['failed', 'cancelled']),
    );
    ctx.check(
      'what was done last was undone first',
      ['payment.voided', 'stock.released', 'order.cancelled', 'email.sent'],
      undoing,
    );
    ctx.check('services that the coordinator knows', 6, knows.get('fulfil-order')?.size);
  },
});

export default orchestration;

function sum(states: ReadonlyMap<string, number>, names: readonly string[]): number {
  return names.reduce((total, name) => total + (states.get(name) ?? 0), 0);
}

/** Types of the events behind the failure, each once. */
function undoneIn(events: readonly { readonly type: string }[]): string[] {
  const from = events.findIndex(({ type }) => type === 'shipment.failed');
  return [...new Set(events.slice(from + 1).map(({ type }) => type))];
}
