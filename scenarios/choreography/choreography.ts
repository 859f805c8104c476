/**
 * Services that react to each other: nobody waits, nobody knows the whole, and one more consumer changes nobody.
 */
import { defineScenario } from 'troupe';
import { planOrders } from '../fulfilment/mishaps.js';
import { checkedOrders, MERMAID_OPTION, ORDERS_OPTION } from '../fulfilment/options.js';
import { eventsOfOrder, play, quantile } from '../fulfilment/play.js';
import { writeDiagram } from '../fulfilment/sequence-diagram.js';
import { CHOREOGRAPHY } from '../fulfilment/ways.js';

export const choreography = defineScenario({
  name: 'choreography',
  title: 'Services that react to each other',
  goal: 'Show fulfilment without anybody in charge: loosely coupled, easy to add to, hard to see whole.',
  method:
    'Orders of a real day go through services joined by reactions alone; some find no stock, no money, no carrier, or a customer who changes their mind. Two consumers are added that the services know nothing of; one is broken.',
  expected:
    'Every order ends completed or undone. The customer is answered long before the flow has ended. The added consumer gets everything, the broken one harms nobody.',
  options: { ...ORDERS_OPTION, ...MERMAID_OPTION },
  async run(ctx) {
    const orders = await planOrders(checkedOrders(ctx.options.orders), () => ctx.random());
    const { journal, workers } = ctx;
    const way = { ...CHOREOGRAPHY, cast: new URL('./cast.js', import.meta.url) };
    const played = await play({ way, orders, journal, workers });
    const { events, faults, ends, knows } = played;
    const count = (type: string): number => events.filter((event) => event.type === type).length;
    const shipped = count('order.shipped');
    const undone = [...ends.values()].filter(({ cancelled }) => cancelled !== undefined).length;

    ctx.say(
      `${orders.length} orders, of which ${undone} were undone; ${events.length} events, ${played.messages} messages.`,
    );
    ctx.say(
      `The customer was answered after ${quantile(played.answerMs, 0.5).toFixed(1)} ms (median); all that followed took ${quantile(played.flowMs, 0.5)} ms.`,
    );
    ctx.say('Who tells whom; nobody knows the whole:');
    for (const [name, targets] of [...knows].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      ctx.say(`  ${name.padEnd(24)} ${[...targets].join(', ')}`);
    }
    const example = orders.find(({ mishap }) => mishap === 'no carrier');
    if (example !== undefined) {
      const { number } = example.invoice;
      ctx.say(`The story of order ${number}, which no carrier takes, put together from the log by its correlation id:`);
      for (const line of storyLines(eventsOfOrder(played, number))) ctx.say(`  ${line}`);
      const parts = [{ title: `order ${number}, which no carrier takes`, events: eventsOfOrder(played, number) }];
      await writeDiagram(ctx.options.mermaid, parts, (text) => ctx.say(text));
    }
    ctx.bars(
      [...knows].map(([label, targets]) => ({ label, value: targets.size })),
      { title: 'Services known' },
    );

    ctx.events(events.length);
    ctx.total('orders', orders.length);
    ctx.total('undone', undone);
    ctx.total('messages', played.messages);
    ctx.check('orders that ended neither completed nor undone', [], faults);
    ctx.check('events of the added consumer, one for each parcel', shipped, count('points.earned'));
    ctx.checkThat(
      'the broken consumer was given up for some keys',
      played.deadLetters > 0,
      `${played.deadLetters} parked`,
    );
    ctx.checkThat('the broken consumer kept no order from its end', faults.length === 0 && shipped > 0);
    ctx.checkThat(
      'no service is told by more than it needs: no sender knows half of the services',
      [...knows.values()].every(({ size }) => size <= 2),
    );
    ctx.checkThat(
      'nobody waits for the flow: customers are answered before it ends',
      played.answeredFirst >= 0.9 * orders.length,
      `${played.answeredFirst} of ${orders.length}`,
    );
  },
});

export default choreography;

/** Events in a row, those of one kind together. */
function storyLines(events: readonly { readonly type: string; readonly aggregate: string }[]): string[] {
  const lines: { readonly text: string; times: number }[] = [];
  for (const { type, aggregate } of events) {
    const service = aggregate.padEnd(12);
    const text = `${service} ${type}`;
    // What one service did in a row is told together.
    const from = lines.findLastIndex((line) => !line.text.startsWith(service)) + 1;
    const like = lines.slice(from).find((line) => line.text === text);
    if (like === undefined) lines.push({ text, times: 1 });
    else like.times += 1;
  }
  return lines.map(({ text, times }) => (times > 1 ? `${text} × ${times}` : text));
}
