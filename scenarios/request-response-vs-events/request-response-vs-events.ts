/**
 * The same order flow by asks in a chain and by events, while the bank is up, slow, and down.
 */
import { ActorSystem, defineScenario, type RecordedEvent } from 'troupe';
import { MERMAID_OPTION } from '../fulfilment/options.js';
import { quantile } from '../fulfilment/play.js';
import { bank, type BankMode } from './bank.js';
import { type Call, carrier, desk, warehouse } from './by-asks.js';
import { purchase } from './by-events.js';
import { type Crowd, crowd, type Shop } from './customers.js';
import { writeBothWays } from './diagram.js';

/** Orders placed while the bank is in one mode. */
const ORDERS = 24;
/** Milliseconds that a customer waits. */
const PATIENCE = 300;
const MODES: readonly BankMode[] = ['up', 'slow', 'down'];

type Ways = Readonly<Record<'asks' | 'events', Crowd>>;

export const requestResponseVsEvents = defineScenario({
  name: 'request-response-vs-events',
  title: 'A bank that is slow, and then down',
  goal: 'Show who waits, who fails and who else suffers when one service of a chain is slow or away.',
  method:
    'Customers place orders at a steady pace, by asks in a chain and by events, while the bank is up, slow and down; bystanders only ask when the shop is open. Then the bank comes back.',
  expected:
    'By asks the answer is immediate while all is well, and everybody fails with the bank. By events customers are answered as before, nothing is lost, and what waited is done when the bank is back.',
  options: MERMAID_OPTION,
  async run(ctx) {
    const { journal, workers } = ctx;
    const quiet = (): void => undefined;
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const cast = new URL('./cast.js', import.meta.url);
    const system = await ActorSystem.start({ name: 'bank', cast, workers, journal, log });
    const before = system.metrics().position;
    try {
      for (const id of ['asked', 'told']) await system.spawn(bank, { id });
      await system.spawn(warehouse, { id: 'the' });
      await system.spawn(carrier, { id: 'the' });
      const counter = await system.spawn(desk, { id: 'the' });
      const timeout = PATIENCE;
      const asks: Shop = {
        place: async (orderId) => (await counter.ask('place', orderId, { timeout })) === 'shipped',
        opens: () => counter.ask('opens', undefined, { timeout }),
      };
      const events: Shop = {
        place: async (orderId) => {
          await system.ref(purchase, orderId).ask('place', {}, { timeout: '1m' });
          return true;
        },
        opens: () => system.ref(purchase, 'nobody').ask('opens', undefined, { timeout: '1m' }),
      };
      const seen = new Map<BankMode, Ways>();
      for (const mode of MODES) {
        for (const id of ['asked', 'told']) await system.ref(bank, id).ask('be', mode, { timeout: '1m' });
        const ids = Array.from({ length: ORDERS }, (_, i) => `${mode}-${i}-of-${before}`);
        seen.set(mode, { asks: await crowd(asks, ids), events: await crowd(events, ids) });
      }
      for (const id of ['asked', 'told']) await system.ref(bank, id).ask('be', 'up', { timeout: '1m' });
      await system.settled({ timeout: '2m' });

      const reserved = await system.ref(warehouse, 'the').ask('reserved', undefined, { timeout: '1m' });
      const shipped = await system.ref(carrier, 'the').ask('shipped', undefined, { timeout: '1m' });
      const halfDone = reserved - shipped;
      const all: RecordedEvent[] = [];
      for await (const event of system.readAll({ after: before })) all.push(event);
      const sent = all.filter(({ type }) => type === 'order.sent').length;
      const placed = MODES.length * ORDERS;

      tell((text) => ctx.say(text), seen);
      ctx.say();
      ctx.say(
        `By asks ${halfDone} orders have their goods set aside and are neither paid nor undone: nobody knows of them.`,
      );
      ctx.say(`By events ${sent} of ${placed} orders were paid and sent, those that waited once the bank was back.`);
      const example = `down-0-of-${before}`;
      const calls = (await counter.ask('calls', undefined, { timeout: '1m' })) as readonly Call[];
      const story = all.filter(({ aggregateId }) => aggregateId === example);
      await writeBothWays(
        ctx.options.mermaid,
        calls.filter(({ orderId }) => orderId === example),
        story,
        (text) => ctx.say(text),
      );

      const of = (mode: BankMode, way: keyof Ways): Crowd => seen.get(mode)?.[way] ?? EMPTY;
      const bystander = (mode: BankMode, way: keyof Ways): number => quantile(of(mode, way).bystanderMs, 0.5);
      ctx.events(all.length);
      ctx.total('placedEachWay', placed);
      ctx.total(
        'lostByAsks',
        MODES.reduce((sum, mode) => sum + of(mode, 'asks').lost, 0),
      );
      ctx.total('lostByEvents', placed - sent);
      ctx.total('halfDoneByAsks', halfDone);
      ctx.check('orders lost by asks while the bank is down', ORDERS, of('down', 'asks').lost);
      ctx.checkThat('orders half done by asks', halfDone > 0, `${halfDone}`);
      ctx.check('orders lost by events', 0, placed - sent);
      ctx.check(
        'orders confirmed at once by events',
        placed,
        MODES.reduce((sum, mode) => sum + of(mode, 'events').confirmed, 0),
      );
      ctx.checkThat(
        'by asks bystanders suffer with the bank',
        bystander('down', 'asks') > 3 * bystander('down', 'events'),
        `${bystander('down', 'asks').toFixed(0)} ms against ${bystander('down', 'events').toFixed(0)} ms by events`,
      );
      const dead = system.deadLetters.list().filter(({ reason }) => reason === 'parked').length;
      ctx.check('events given up', 0, dead);
    } finally {
      await system.stop();
    }
  },
});

export default requestResponseVsEvents;

const EMPTY: Crowd = { confirmed: 0, lost: 0, answerMs: [], bystanderMs: [] };

function tell(say: (text: string) => void, seen: ReadonlyMap<BankMode, Ways>): void {
  say(
    `${'the bank is'.padEnd(12)}${'by'.padEnd(8)}${'answered after'.padStart(16)}${'99 %'.padStart(10)}${'lost'.padStart(6)}${'a bystander waits'.padStart(20)}${'99 %'.padStart(10)}`,
  );
  const ms = (values: readonly number[], share: number): string => `${quantile(values, share).toFixed(0)} ms`;
  for (const [mode, ways] of seen) {
    for (const [way, { answerMs, lost, bystanderMs }] of Object.entries(ways)) {
      const times = [ms(answerMs, 0.5).padStart(16), ms(answerMs, 0.99).padStart(10), String(lost).padStart(6)];
      times.push(ms(bystanderMs, 0.5).padStart(20), ms(bystanderMs, 0.99).padStart(10));
      say(`${mode.padEnd(12)}${way.padEnd(8)}${times.join('')}`);
    }
  }
}
