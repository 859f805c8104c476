/**
 * One event, several who care: nobody waits for them, one that fails or is slow takes nobody along, and one more is added
 * without touching the producer. Beside it the same by request and response.
 */
import { ActorSystem, defineScenario } from 'troupe';
import { type DayOrder, readDay } from '../trading-day/read-day.js';
import { mailServer, order, payment, PAYMENT_MS, points, stock } from './cast.js';

const CAST = new URL('./cast.js', import.meta.url);
const CAST_WITH_POINTS = new URL('./cast-with-points.js', import.meta.url);
/** Orders by request and response: each takes as long as its slowest service, so a few will do. */
const REQUESTS = 10;

export const eventNotification = defineScenario({
  name: 'event-notification',
  title: 'One event, several who care',
  goal: 'Show that a producer does not know its consumers: none of them makes it wait, fail or change.',
  method:
    'The orders of a real day are announced by an event. Stock, payment (slow) and mail (whose server is down) react. Then the server is mended, and a fourth consumer joins. Ten orders are also placed by calling the three services.',
  expected:
    'While mail is down, stock and payments get everything; mended, every mail is sent once; the newcomer gets the whole past; the producer never waits for any of them.',
  options: { orders: { type: 'number', default: 132, description: 'orders of the day to place' } },
  async run(ctx) {
    const { journal, workers } = ctx;
    const day = await readDay(ctx.options.orders);
    const log = { debug: nothing, info: nothing, warn: nothing, error: (text: string) => ctx.warn(text) };
    const open = (cast: URL) => ActorSystem.start({ name: 'notification', cast, journal, workers, log });
    let system = await open(CAST);
    try {
      const before = system.metrics().position;
      const run = `run${before}`;
      const ids = day.map(({ number }) => `${number}-${run}`);
      const sum = async (of: (id: string) => Promise<number>): Promise<number> =>
        (await Promise.all(ids.map(of))).reduce((total, one) => total + one, 0);
      const mails = async () => (await system.state(mailServer, 'main')).sent;
      const reservedPieces = () => sum(async (id) => (await system.state(stock, id)).reserved);
      const paidMills = () => sum(async (id) => (await system.state(payment, id)).paidMills);
      const mailsBefore = await mails();

      await system.ref(mailServer, 'main').ask('switch', { up: false });
      const announcedMs = await timesOf(day, async (one, index) => {
        await system.ref(order, ids[index] ?? '').ask('create', facts(one));
      });
      await system.settled({ timeout: '60s' });
      const whileDown = {
        pieces: await reservedPieces(),
        paid: await paidMills(),
        mails: (await mails()) - mailsBefore,
      };
      const parked = system.health().problems.length;
      ctx.say(
        `Mail is down: ${parked} mails wait, ${whileDown.pieces} pieces are reserved, ${whileDown.paid / 1_000} pounds are paid.`,
      );

      await system.ref(mailServer, 'main').ask('switch', { up: true });
      for (const { id } of system.deadLetters.list()) await system.deadLetters.retry(id);
      await system.settled({ timeout: '60s' });
      const mailed = (await mails()) - mailsBefore;

      const requestedMs = await timesOf(day.slice(0, REQUESTS), async (one, index) => {
        const id = `requested-${index}-${run}`;
        await system.ref(order, id).ask('create', facts(one));
        await system.ref(stock, `${id}-direct`).ask('reserve', { pieces: facts(one).pieces });
        await system.ref(payment, `${id}-direct`).ask('charge', { totalMills: one.totalMills });
        await system.ref(mailServer, 'main').ask('send', { order: `${id}-direct` });
      });
      await system.ref(mailServer, 'main').ask('switch', { up: false });
      const failed = await system
        .ref(mailServer, 'main')
        .ask('send', { order: 'one more' })
        .then(
          () => false,
          () => true,
        );
      await system.ref(mailServer, 'main').ask('switch', { up: true });
      await system.settled({ timeout: '60s' });

      await system.stop();
      system = await open(CAST_WITH_POINTS);
      await system.settled({ timeout: '60s' });
      const given = await sum(async (id) => (await system.state(points, id)).given);

      const announced = median(announcedMs);
      const requested = median(requestedMs);
      ctx.bars(
        [
          { label: 'by event', value: announced, text: `${announced.toFixed(1)} ms until the customer has an answer` },
          {
            label: 'by request',
            value: requested,
            text: `${requested.toFixed(1)} ms, and none at all while mail is down`,
          },
        ],
        { title: 'The price of waiting for three services' },
      );
      ctx.events(system.metrics().position - before);
      ctx.total('orders', day.length);
      ctx.total('parkedWhileDown', parked);
      ctx.total('announcedMs', Math.round(announced * 10) / 10);
      ctx.total('requestedMs', Math.round(requested * 10) / 10);
      const pieces = day.reduce((total, one) => total + facts(one).pieces, 0);
      const mills = day.reduce((total, { totalMills }) => total + totalMills, 0);
      ctx.check('while mail is down every piece is reserved', pieces, whileDown.pieces);
      ctx.check('while mail is down every order is paid', mills, whileDown.paid);
      ctx.check(
        'while mail is down no mail is sent, and each waits',
        { sent: 0, waiting: day.length },
        { sent: whileDown.mails, waiting: parked },
      );
      ctx.check('mended, every order has one mail', day.length, mailed);
      ctx.check(
        'one that joins later gets the whole past',
        day.reduce((total, { totalMills }) => total + Math.floor(totalMills / 1_000), 0),
        given,
      );
      ctx.checkThat(
        'by request the customer waits for the slowest service',
        requested >= PAYMENT_MS,
        `${requested.toFixed(1)} ms, a payment takes ${PAYMENT_MS} ms`,
      );
      ctx.checkThat('by request a service that is down fails its caller', failed);
      ctx.check('nothing is left over', [], system.health().problems);
    } finally {
      await system.stop();
    }
  },
});

function facts({ totalMills, lines }: DayOrder): { totalMills: number; pieces: number } {
  return { totalMills, pieces: lines.reduce((sum, { quantity }) => sum + quantity, 0) };
}

/** Places the orders one after the other, as one customer would see it. */
async function timesOf(
  day: readonly DayOrder[],
  place: (one: DayOrder, index: number) => Promise<void>,
): Promise<number[]> {
  const times: number[] = [];
  for (const [index, one] of day.entries()) {
    const start = performance.now();
    await place(one, index);
    times.push(performance.now() - start);
  }
  return times;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}

function nothing(): void {
  // What is expected to fail in this story would fill the screen.
}
