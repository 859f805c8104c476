/**
 * An external source that shuffles and repeats: by way of the operators, or by the ids of its events alone, it ends in the
 * same state as an ordered one. The data are the movements of a real day.
 */
import { expect } from 'chai';
import { from, lastValueFrom, map, mergeMap, type Observable, toArray } from 'rxjs';
import { ActorSystem, aggregate } from 'troupe';
import { deduplicate, perAggregate, resequence } from 'troupe/operators';
import { movementsOfTheDay, type Movement } from '../../scenarios/event-ordering/movements.js';
import { disordered } from '../../scenarios/trading-day/disorder.js';
import { randomFrom } from '../retail/retail-process.js';

const item = aggregate({
  name: 'item',
  initialState: () => ({ level: 0, told: 0, disordered: 0, last: 0 }),
  events: {
    told: {
      apply: (state, { level, sequence }: { level: number; sequence: number }) => ({
        level,
        told: state.told + 1,
        disordered: state.disordered + (sequence < state.last ? 1 : 0),
        last: sequence,
      }),
    },
  },
});

describe('a source that shuffles within 50 and sends every tenth twice', function () {
  this.timeout(60_000);
  let movements: Movement[];
  before(async () => {
    movements = await movementsOfTheDay(1_500);
  });

  /** The states of all items after a source has been taken in. */
  async function statesAfter(take: (system: ActorSystem) => Observable<unknown>): Promise<unknown[]> {
    const system = await ActorSystem.start({ cast: [item], workers: 0, journal: ':memory:' });
    await lastValueFrom(take(system).pipe(toArray()));
    const skus = [...new Set(movements.map(({ sku }) => sku))];
    const states = await Promise.all(skus.map((sku) => system.state(item, sku)));
    await system.stop();
    return states;
  }
  const append = (system: ActorSystem, { sku, sequence, level }: Movement): Promise<unknown> =>
    system.append(item, sku, [{ type: 'told', data: { level, sequence }, id: `m${sequence}` }]);
  const arriving = (seed: number): Movement[] =>
    disordered(movements, { window: 50, repeatEvery: 10, loseEvery: Infinity, random: randomFrom(seed) });

  it('ends in the same states as an ordered one, for 3 seeds', async () => {
    const ordered = await statesAfter((system) => from(movements).pipe(mergeMap((one) => append(system, one), 64)));
    for (const seed of [1, 2, 3]) {
      const states = await statesAfter((system) =>
        from(arriving(seed)).pipe(
          resequence({ by: ({ sku }: Movement) => sku, sequence: ({ sequence }) => sequence }),
          map((one) => ({ aggregate: 'item', aggregateId: one.sku, one })),
          perAggregate(({ one }) => append(system, one)),
        ),
      );
      expect(states).to.deep.equal(ordered);
    }
  });

  it('stores nothing twice without any operator, by the ids of its events; only the order is its own', async () => {
    const states = (await statesAfter((system) =>
      from(arriving(4)).pipe(mergeMap((one) => append(system, one), 64)),
    )) as { told: number; disordered: number }[];
    expect(states.reduce((sum, { told }) => sum + told, 0)).to.equal(movements.length);
    expect(states.some((state) => state.disordered > 0)).to.equal(true);
  });

  it('is told of each movement once with deduplicate in front, too', async () => {
    const seen = await lastValueFrom(
      from(arriving(5)).pipe(deduplicate({ by: ({ sku, sequence }) => `${sku}/${sequence}`, window: 200 }), toArray()),
    );
    expect(seen).to.have.length(movements.length);
  });
});
