/**
 * A consumer is down while events come, is killed while it catches up, and comes back: it goes on where it was, misses
 * nothing and does nothing twice. Somebody who only listens to the present is beside it.
 */
import { ActorSystem, defineScenario, ScenarioInputError } from 'troupe';
import { runAndKill } from '../killed-process/run-and-kill.js';
import { pack } from './cast-with-consumer.js';
import { order, packing } from './cast.js';

const STATION = new URL('./station.js', import.meta.url);
const CUSTOMERS = 20;

export const eventLoss = defineScenario({
  name: 'event-loss',
  title: 'A consumer that was away',
  goal: 'Show that events wait for a consumer that is down, slow or killed, and that it goes on exactly where it was.',
  method:
    'Orders are placed and packed by a process that is killed with SIGKILL; then orders come while nobody packs; a new process catches up and is killed too; the next one comes to the end. A listener without a memory is connected at the end as well.',
  expected:
    'Every order that was acknowledged is packed once, in the order of its customer. The listener has heard of what came while it was there, and of nothing else.',
  options: { orders: { type: 'number', default: 1_200, description: 'orders to place in all' } },
  async run(ctx) {
    const { journal, workers, signal } = ctx;
    if (journal === ':memory:') throw new ScenarioInputError('event-loss kills processes; give --journal a file');
    const total = Math.max(60, Math.round(ctx.options.orders));
    const third = Math.round(total / 3);
    const open = (file: string) => ActorSystem.start({ cast: new URL(file, import.meta.url), journal, workers });
    let system = await open('./cast.js');
    const before = system.metrics().position;
    const run = `run${before}`;
    const lags: { label: string; value: number }[] = [];
    const acknowledged = new Set<number>();
    try {
      await system.stop();
      const station = async (first: number, end: number, killAfterLines?: number) => {
        const args = [journal, String(workers), run, String(first), String(end)];
        const ended = await runAndKill(STATION, {
          args,
          signal,
          ...(killAfterLines === undefined ? {} : { killAfterLines }),
        });
        for (const line of ended.lines) if (/^\d+$/.test(line)) acknowledged.add(Number(line));
        return ended;
      };
      // Killed in the middle of work.
      const first = await station(0, third, third >> 1);
      ctx.say(`✗ killed when ${acknowledged.size} of ${third} orders were acknowledged`);

      // Nobody packs. What was not acknowledged is sent again, under the same ids.
      system = await open('./cast.js');
      const pastIds = Array.from({ length: 2 * third }, (_, n) => n);
      for (const n of pastIds) {
        if (acknowledged.has(n)) continue;
        await system.ref(order, `${run}-customer-${n % CUSTOMERS}`).ask('place', { n }, { id: `order-${n}` });
        acknowledged.add(n);
      }
      const headWhileDown = system.metrics().position;
      ctx.say(`  the consumer is down: orders are placed all the same, up to ${acknowledged.size}`);
      await system.stop();

      // Killed while it catches up: at its first words.
      const second = await station(0, 0, 2);
      const caughtUpTo = Number(second.lines.at(-1)?.slice('at '.length) ?? 0);
      lags.push({
        label: 'when it came back',
        value: headWhileDown - Number(second.lines[0]?.slice('at '.length) ?? 0),
      });
      ctx.say(
        `✗ ${second.killed ? 'killed' : 'ended'} while catching up, at position ${caughtUpTo} of ${headWhileDown}`,
      );
      const last = await station(2 * third, total);
      ctx.say(`✓ came to its end${last.code === 0 ? '' : `, code ${last.code}: ${last.errors.trim()}`}`);
      if (signal.aborted) return;

      system = await open('./cast-with-consumer.js');
      let heard = 0;
      system.events.subscribe((event) => {
        if (event.type === 'order.placed') heard += 1;
      });
      await system.ref(order, `${run}-customer-0`).ask('place', { n: total }, { id: `order-${total}` });
      acknowledged.add(total);
      await system.settled({ timeout: '60s' });
      lags.push({ label: 'at the end', value: system.reaction(pack).status().lag });

      const packed: number[] = [];
      let disordered = 0;
      for (let customer = 0; customer < CUSTOMERS; customer += 1) {
        const { packed: own } = await system.state(packing, `${run}-customer-${customer}`);
        if (own.some((n, index) => n <= (own[index - 1] ?? -1))) disordered += 1;
        packed.push(...own);
      }
      ctx.bars(lags, { title: 'Events that the consumer is behind' });
      ctx.bars(
        [
          { label: 'placed', value: acknowledged.size },
          { label: 'packed, by the durable consumer', value: packed.length },
          { label: 'heard of, by the listener', value: heard },
        ],
        { title: 'Orders' },
      );
      ctx.events(system.metrics().position - before);
      ctx.total('orders', acknowledged.size);
      ctx.total('heardByTheListener', heard);
      ctx.check('the first process was killed, and the second', [true, true], [first.killed, second.killed]);
      ctx.check('the third came to its end', 0, last.code);
      ctx.check('every order was placed once', total + 1, await placed(system, run));
      ctx.check(
        'every order is packed, none twice',
        { packed: total + 1, different: total + 1 },
        { packed: packed.length, different: new Set(packed).size },
      );
      ctx.check('the orders of a customer are packed in order', 0, disordered);
      ctx.check('a listener hears of what comes while it listens', 1, heard);
      ctx.check(
        'nothing is left over',
        { behind: [], problems: [] },
        { behind: system.health().behind, problems: system.health().problems },
      );
    } finally {
      await system.stop();
    }
  },
});

async function placed(system: ActorSystem, run: string): Promise<number> {
  let count = 0;
  for (let customer = 0; customer < CUSTOMERS; customer += 1) {
    count += (await system.state(order, `${run}-customer-${customer}`)).placed;
  }
  return count;
}
