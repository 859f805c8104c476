/**
 * Events come out of order, twice and not at all: `resequence` buffers what is early, drops what is late or repeated, and
 * gives up on what never comes. Beside it a consumer that believes whatever comes last.
 */
import { from, lastValueFrom, mergeMap, tap, toArray } from 'rxjs';
import { ActorSystem, defineScenario } from 'troupe';
import { resequence } from 'troupe/operators';
import { disordered } from '../trading-day/disorder.js';
import { item } from './cast.js';
import { type Movement, movementsOfTheDay } from './movements.js';

export const eventOrdering = defineScenario({
  name: 'event-ordering',
  title: 'The last word, in the right order',
  goal: 'Show that a source which shuffles, repeats and loses events ends in the same state as an ordered one.',
  method:
    'Each movement of a real day tells the new stock level of an item. They arrive shuffled within a window of 50, every tenth twice: to a consumer that takes what comes, and to one behind resequence(). Then the same with every hundredth lost for good.',
  expected:
    'Taken as they come, many items end with a wrong level; resequenced, every one ends as if in order. What is lost is told as a gap, and only what hangs on it is missing.',
  options: { movements: { type: 'number', default: 5_000, description: 'movements of the day to send' } },
  async run(ctx) {
    const { journal, workers } = ctx;
    const movements = await movementsOfTheDay(ctx.options.movements);
    const system = await ActorSystem.start({
      name: 'ordering',
      cast: new URL('./cast.js', import.meta.url),
      journal,
      workers,
    });
    const before = system.metrics().position;
    const skus = [...new Set(movements.map(({ sku }) => sku))];
    const random = (): number => ctx.random();
    try {
      const append = async (way: string, { sku, sequence, level }: Movement): Promise<void> => {
        await system.append(item, `${way}/${sku}/${before}`, [
          { type: 'level.told', data: { sequence, level }, id: `${sequence}` },
        ]);
      };
      const levels = (way: string) =>
        Promise.all(skus.map(async (sku) => (await system.state(item, `${way}/${sku}/${before}`)).level));
      const shuffled = disordered(movements, { window: 50, repeatEvery: 10, loseEvery: Infinity, random });

      await all(movements.map((one) => () => append('ordered', one)));
      const right = await levels('ordered');
      await all(shuffled.map((one) => () => append('as-they-come', one)));
      const asTheyCame = await levels('as-they-come');

      const inOrder = await lastValueFrom(
        from(shuffled).pipe(
          resequence({ by: ({ sku }: Movement) => sku, sequence: ({ sequence }) => sequence, from: 1 }),
          toArray(),
        ),
      );
      await all(inOrder.map((one) => () => append('resequenced', one)));
      const resequenced = await levels('resequenced');

      // The same with losses. Nothing comes after the last one, so what waits behind a gap is given up on at the end.
      const gaps: number[] = [];
      const lossy = disordered(movements, { window: 50, repeatEvery: 10, loseEvery: 100, random });
      const lost = new Set(
        movements.filter((_, index) => (index + 1) % 100 === 0).map(({ sku, sequence }) => `${sku}/${sequence}`),
      );
      const survived = await lastValueFrom(
        from(lossy).pipe(
          resequence({
            by: ({ sku }: Movement) => sku,
            sequence: ({ sequence }) => sequence,
            from: 1,
            timeout: '50ms',
            onGap: (_sku, expected, buffered) => void gaps.push((buffered[0]?.sequence ?? expected) - expected),
          }),
          toArray(),
        ),
      );
      const keys = survived.map(({ sku, sequence }) => `${sku}/${sequence}`);
      const inTheirOrder = survived.every(({ sku, sequence }, index) => {
        const later = survived.slice(index + 1).find((other) => other.sku === sku);
        return later === undefined || later.sequence > sequence;
      });

      const wrong = asTheyCame.filter((level, index) => level !== right[index]).length;
      ctx.bars(
        [
          {
            label: 'taken as they come',
            value: wrong,
            text: `${wrong} of ${skus.length} items end with a wrong level`,
          },
          { label: 'resequenced', value: resequenced.filter((level, index) => level !== right[index]).length },
        ],
        { title: 'Items that end with a wrong level' },
      );
      ctx.events(system.metrics().position - before);
      ctx.total('items', skus.length);
      ctx.total('arrivals', shuffled.length);
      ctx.total('wrongAsTheyCome', wrong);
      ctx.total('lost', lost.size);
      ctx.checkThat('taken as they come, items end with a wrong level', wrong > 0, `${wrong} of ${skus.length}`);
      ctx.check('resequenced, every item ends as if in order', right, resequenced);
      ctx.check('each movement comes out once', movements.length, inOrder.length);
      ctx.check('what is early waits and nothing is given up without a loss', movements.length, new Set(inOrder).size);
      ctx.checkThat('with losses, what comes out is still in order by item', inTheirOrder);
      ctx.check(
        'with losses, everything that arrived comes out once',
        movements.length - lost.size,
        new Set(keys).size,
      );
      ctx.check('with losses, nothing comes out twice', keys.length, new Set(keys).size);
      ctx.checkThat(
        'each gap in the middle is told',
        gaps.reduce((sum, one) => sum + one, 0) <= lost.size && gaps.length > 0,
        `${gaps.length} gaps, ${lost.size} lost; the last of an item can't be missed`,
      );
    } finally {
      await system.stop();
    }
  },
});

/** Sends in order, 500 under way at a time; what one item is told stays in its order. */
async function all(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  await lastValueFrom(
    from(tasks).pipe(
      mergeMap((task) => task(), 500),
      tap(),
      toArray(),
    ),
  );
}
