/**
 * A source sends everything three times, and the process that listens is killed twice: with ids nothing is booked twice,
 * and nothing is missing. A book that believes everything is beside it.
 */
import { ActorSystem, defineScenario, ScenarioInputError } from 'troupe';
import { runAndKill } from '../killed-process/run-and-kill.js';
import { readDay } from '../trading-day/read-day.js';
import { cashBook } from './cast.js';
import { TIMES } from './source.js';

const SENDER = new URL('./sender.js', import.meta.url);

export const duplicates = defineScenario({
  name: 'duplicates',
  title: 'Three times the same, and two crashes',
  goal: 'Show that a repeat changes nothing: not in the same breath, not after a kill, not from memory and not from disk.',
  method:
    'A process books the payments of a real day, each sent three times in any order. It is killed with SIGKILL after a third, again after two thirds, and each time the source begins from the start. One book gets the payments with ids, one without.',
  expected: 'With ids every payment is booked once, to the tenth of a penny. Without, most are booked again and again.',
  options: { orders: { type: 'number', default: 132, description: 'orders of the day whose payments are sent' } },
  async run(ctx) {
    const { journal, workers, signal } = ctx;
    if (journal === ':memory:') throw new ScenarioInputError('duplicates kills processes; give --journal a file');
    const day = await readDay(ctx.options.orders);
    const sends = day.length * TIMES;
    const cast = new URL('./cast.js', import.meta.url);
    const look = await ActorSystem.start({ cast, journal, workers: 0 });
    const run = `run${look.metrics().position}`;
    const before = look.metrics().position;
    await look.stop();

    const acknowledged = new Set<string>();
    let arrived = 0;
    const kills: boolean[] = [];
    for (const killAfterLines of [Math.round(sends / 3), Math.round((sends * 2) / 3), undefined]) {
      const args = [journal, String(day.length), String(ctx.seed), String(workers), run];
      const end = await runAndKill(SENDER, {
        args,
        signal,
        ...(killAfterLines === undefined ? {} : { killAfterLines }),
      });
      if (signal.aborted) return;
      const ids = end.lines.filter((line) => line !== 'done');
      for (const id of ids) acknowledged.add(id);
      arrived += ids.length;
      kills.push(end.killed);
      ctx.say(
        end.killed
          ? `✗ killed when ${ids.length} of ${sends} arrivals were acknowledged; the source begins again`
          : `✓ came to its end: ${ids.length} arrivals acknowledged${end.code === 0 ? '' : `, code ${end.code}: ${end.errors.trim()}`}`,
      );
    }

    const system = await ActorSystem.start({ cast, journal, workers });
    try {
      const countries = [...new Set(day.map(({ country }) => country))];
      const sumOf = async (prefix: string) => {
        const states = await Promise.all(
          countries.map((country) => system.state(cashBook, `${prefix}${country}-${run}`)),
        );
        return {
          bookings: states.reduce((sum, { bookings }) => sum + bookings, 0),
          mills: states.reduce((sum, { sumMills }) => sum + sumMills, 0),
        };
      };
      const right = { bookings: day.length, mills: day.reduce((sum, { totalMills }) => sum + totalMills, 0) };
      const withIds = await sumOf('');
      const without = await sumOf('credulous-');

      // How fast a repeat is known: the first of an instance comes from disk, the next from memory.
      const sample = day.slice(0, 20);
      const diskMs: number[] = [];
      const memoryMs: number[] = [];
      for (const { country, number, totalMills } of sample) {
        for (const times of [diskMs, memoryMs]) {
          const start = performance.now();
          await system
            .ref(cashBook, `${country}-${run}`)
            .ask('book', { mills: totalMills }, { id: `payment-${number}` });
          times.push(performance.now() - start);
        }
      }
      const reused = await system
        .ref(cashBook, `${day[0]?.country ?? ''}-${run}`)
        .ask('book', { mills: 1 }, { id: `payment-${day[0]?.number ?? ''}` })
        .then(
          () => 'booked',
          (error: unknown) => (error as { code: string }).code,
        );

      ctx.bars(
        [
          { label: 'what was paid', value: right.mills, text: pounds(right.mills) },
          { label: 'booked with ids', value: withIds.mills, text: pounds(withIds.mills) },
          {
            label: 'booked without',
            value: without.mills,
            text: `${pounds(without.mills)} from ${without.bookings} bookings`,
          },
        ],
        { title: 'The cash in the books' },
      );
      ctx.events(system.metrics().position - before);
      ctx.total('payments', day.length);
      ctx.total('arrivalsAcknowledged', arrived);
      ctx.total('bookedWithoutIds', without.bookings);
      ctx.total('repeatFromDiskMs', round(median(diskMs)));
      ctx.total('repeatFromMemoryMs', round(median(memoryMs)));
      ctx.check('two processes were killed, the third came to its end', [true, true, false], kills);
      ctx.check('with ids every payment is booked once, to the tenth of a penny', right, withIds);
      ctx.check('everything was acknowledged at last', day.length, acknowledged.size);
      ctx.checkThat(
        'without ids payments are booked again and again',
        without.bookings > 2 * day.length,
        `${without.bookings} bookings of ${day.length} payments`,
      );
      ctx.check('repeats after the crashes change nothing', withIds, await sumOf(''));
      ctx.check('a known id with another amount is refused', 'TROUPE_COMMAND_ID_REUSED', reused);
    } finally {
      await system.stop();
    }
  },
});

function pounds(mills: number): string {
  return `£${(mills / 1_000).toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
