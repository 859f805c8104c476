/**
 * How long an aggregate needs to come back, by the length of its history: without snapshots that grows, with them it
 * doesn't. And a snapshot is only a short cut: without any of them the state is the same.
 */
import { ActorSystem, defineScenario, ScenarioInputError } from 'troupe';
import { bareMeter, EVERY, meter, nextMeter } from './cast.js';

const CAST = new URL('./cast-of-today.js', import.meta.url);
/** Instances of each length; the median of them counts. */
const INSTANCES = 5;

export const snapshots = defineScenario({
  name: 'snapshots',
  title: 'A short cut through a long history',
  goal: 'Show what snapshots are worth: the time until an aggregate answers, by the length of its history.',
  method: `Meters with 100 events, ten and a hundred times as many (--longest) are read for the first time after a restart, with a snapshot every ${EVERY} events and without any.`,
  expected:
    'Without snapshots the time grows with the history; with them it hardly does. The states are equal, also when every snapshot is ignored.',
  options: { longest: { type: 'number', default: 10_000, description: 'events of the longest history' } },
  async run(ctx) {
    const { journal, workers } = ctx;
    if (journal === ':memory:')
      throw new ScenarioInputError('snapshots restarts on its journal; give --journal a file');
    const longest = Math.max(1_000, Math.round(ctx.options.longest));
    const lengths = [longest / 100, longest / 10, longest].map(Math.round);
    let system = await ActorSystem.start({ name: 'meters', cast: CAST, journal, workers });
    const before = system.metrics().position;
    const idOf = (length: number, instance: number): string => `${length}-${instance}-of-${before}`;
    const each = lengths.flatMap((length) =>
      Array.from({ length: INSTANCES }, (_, instance) => ({ length, id: idOf(length, instance) })),
    );
    const progress = ctx.progress({ total: 2 * each.reduce((sum, { length }) => sum + length, 0), unit: 'events' });
    try {
      let written = 0;
      const sums = new Map<string, number>();
      for (const { length, id } of each) {
        for (let from = 0; from < length; from += 500) {
          const events = Array.from({ length: Math.min(500, length - from) }, () => ({
            type: 'meter.read' as const,
            data: { value: Math.floor(ctx.random() * 1_000) },
          }));
          sums.set(
            id,
            events.reduce((sum, { data }) => sum + data.value, sums.get(id) ?? 0),
          );
          for (let part = 0; part < events.length; part += EVERY) {
            await Promise.all([bareMeter, meter].map((of) => system.append(of, id, events.slice(part, part + EVERY))));
          }
          written += 2 * events.length;
          progress.update(written);
        }
      }
      progress.stop();
      await system.stop();
      system = await ActorSystem.start({ name: 'meters', cast: CAST, journal, workers });
      // So that neither pays for what comes first.
      await Promise.all([bareMeter, meter].map((of) => system.ref(of, 'nobody').ask('sum', undefined)));

      const rows: { length: number; bareMs: number; snappedMs: number }[] = [];
      let wrong = 0;
      for (const length of lengths) {
        const bareMs: number[] = [];
        const snappedMs: number[] = [];
        for (let instance = 0; instance < INSTANCES; instance += 1) {
          const id = idOf(length, instance);
          for (const [of, times] of [
            [bareMeter, bareMs],
            [meter, snappedMs],
          ] as const) {
            const start = performance.now();
            const sum = await system.ref(of, id).ask('sum', undefined);
            times.push(performance.now() - start);
            if (sum !== sums.get(id)) wrong += 1;
          }
        }
        rows.push({ length, bareMs: median(bareMs), snappedMs: median(snappedMs) });
      }
      const states = await Promise.all(each.map(({ id }) => system.state(meter, id)));
      const bareStates = await Promise.all(each.map(({ id }) => system.state(bareMeter, id)));
      await system.stop();

      // A release later no snapshot is of use.
      system = await ActorSystem.start({ name: 'meters', cast: [bareMeter, nextMeter], journal, workers: 0 });
      const without = await Promise.all(each.map(({ id }) => system.state(nextMeter, id)));

      ctx.bars(
        rows.flatMap(({ length, bareMs, snappedMs }) => [
          { label: `${length} events, without`, value: bareMs, text: `${bareMs.toFixed(1)} ms` },
          { label: `${length} events, with`, value: snappedMs, text: `${snappedMs.toFixed(1)} ms` },
        ]),
        { title: 'Until a meter answers after a restart' },
      );
      const last = rows.at(-1);
      ctx.events(system.metrics().position - before);
      for (const { length, bareMs, snappedMs } of rows) {
        ctx.total(`withoutMs${length}`, Math.round(bareMs * 10) / 10);
        ctx.total(`withMs${length}`, Math.round(snappedMs * 10) / 10);
      }
      ctx.check('every meter shows the sum of its events', 0, wrong);
      ctx.check('with and without snapshots the states are equal', bareStates, states);
      ctx.check('with all snapshots ignored, too', states, without);
      ctx.checkThat(
        `the longest history is back sooner with snapshots`,
        last !== undefined && last.snappedMs < last.bareMs,
        `${last?.snappedMs.toFixed(1)} ms instead of ${last?.bareMs.toFixed(1)} ms`,
      );
    } finally {
      await system.stop();
    }
  },
});

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}
