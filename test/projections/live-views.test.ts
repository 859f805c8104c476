/** Laws of watching: what a query finds, as it changes; how a build gets on. */
import { expect } from 'chai';
import { projection } from '../../src/projections/projection-definition.js';
import type { BuildProgress } from '../../src/projections/build-progress.js';
import type { Projections } from '../../src/projections/projections.js';
import { EventLog } from './event-log.js';
import { eventually, failure, ReadModels, settled } from './read-models.js';

const totals = projection({
  name: 'totals',
  columns: { id: 'text primary key', n: 'integer' },
  key: (event) => event.aggregateId,
  on: {
    added: (row = { n: 0 }, event) => ({ n: row.n + (event.data as { n: number }).n }),
    removed: () => null,
  },
});

describe('watchAll', () => {
  let models: ReadModels;
  let log: EventLog;
  let running: Projections;

  beforeEach(async () => {
    models = new ReadModels();
    log = new EventLog();
    log.add({ type: 'added', id: 'a', data: { n: 1 } }, { type: 'added', id: 'b', data: { n: 2 } });
    running = await models.start(log, [totals]);
    await settled(running, log);
  });

  afterEach(() => models.close());

  it('tells what the query finds now, and then each other answer, once', async () => {
    const seen: string[] = [];
    const top = running.view(totals).watchAll({ orderBy: { n: 'desc' }, limit: 1 });
    const subscription = top.subscribe((rows) => seen.push(rows.map(({ id, n }) => `${id}${n}`).join()));
    await eventually(() => seen.length === 1);
    log.add({ type: 'added', id: 'a', data: { n: 5 } });
    await settled(running, log);
    expect(seen).to.deep.equal(['b2', 'a6']);
    // Another row changes: the answer stays.
    log.add({ type: 'added', id: 'b', data: { n: 1 } });
    await settled(running, log);
    log.add({ type: 'removed', id: 'a' });
    await settled(running, log);
    expect(seen).to.deep.equal(['b2', 'a6', 'b3']);
    subscription.unsubscribe();
    log.add({ type: 'added', id: 'b', data: { n: 9 } });
    await settled(running, log);
    expect(seen).to.have.length(3);
  });

  it('a slow consumer gets the newest rows, and no queue: of 200 changes it sees the last alone', async () => {
    const seen: number[] = [];
    let goOn: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const consuming = (async () => {
      for await (const [row] of running.view(totals).watchAll({ where: { id: 'a' } })) {
        seen.push(row?.n ?? 0);
        if (row?.n === 201) return;
        await slow;
      }
    })();
    await eventually(() => seen.length === 1);
    for (let i = 0; i < 200; i += 1) {
      log.add({ type: 'added', id: 'a', data: { n: 1 } });
      if (i % 10 === 0) await settled(running, log);
    }
    await settled(running, log);
    goOn();
    await consuming;
    expect(seen).to.deep.equal([1, 201]);
  });

  it('watch of one row can be pulled as well, and ends with the system', async () => {
    const seen: (number | undefined)[] = [];
    const consuming = (async () => {
      for await (const row of running.view(totals).watch('a')) seen.push(row?.n);
    })();
    await eventually(() => seen.length === 1);
    await running.stop();
    await consuming;
    expect(seen).to.deep.equal([1]);
  });

  it('refuses a wrong query at once, where it is made', () => {
    expect(() => running.view(totals).watchAll({ where: { m: 1 } } as never)).to.throw(/there is no column "m"/);
  });

  it('a subscriber that throws gets the next answer, and harms no other', async () => {
    let thrown = 0;
    const seen: number[] = [];
    const all = running.view(totals).watchAll();
    all.subscribe(() => {
      thrown += 1;
      throw new Error('no');
    });
    all.subscribe((rows) => seen.push(rows.length));
    await eventually(() => seen.length === 1 && thrown === 1);
    log.add({ type: 'added', id: 'c', data: { n: 1 } });
    await settled(running, log);
    expect(seen).to.deep.equal([2, 3]);
    expect(thrown).to.equal(2);
  });
});

describe('progress of a build', () => {
  it('says position, head, share, rate and time left, in metrics and live, and ends at the swap', async () => {
    const models = new ReadModels();
    const log = new EventLog();
    log.add(...Array.from({ length: 9_000 }, (_, i) => ({ type: 'added', id: `id${i % 50}`, data: { n: 1 } })));
    log.reopen(10);
    const first = await models.start(log, [totals]);
    await settled(first, log);
    expect(
      await new Promise((resolve) =>
        first
          .view(totals)
          .progress()
          .subscribe({ complete: () => resolve('none') }),
      ),
    ).to.equal('none');
    const seen: BuildProgress[] = [];
    let over = false;
    const inMetrics: unknown[] = [];
    log.onRead = () => inMetrics.push(first.metrics()[0]?.progress);
    const rebuilt = first.view(totals).rebuild();
    await eventually(() => first.metrics()[0]?.state === 'rebuilding');
    first
      .view(totals)
      .progress()
      .subscribe({ next: (one) => seen.push(one), complete: () => (over = true) });
    await rebuilt;
    expect(over).to.equal(true);
    expect(seen.at(-1)).to.include({ position: 9_000, head: 9_000, share: 1, remainingMs: 0 });
    const between = inMetrics.filter((one) => one !== undefined) as BuildProgress[];
    const moving = between.find((one) => one.position > 0);
    expect(moving?.share).to.be.within(0.01, 0.99);
    expect(moving?.eventsPerSecond).to.be.greaterThan(0);
    expect(moving?.remainingMs).to.be.greaterThan(0);
    expect(first.metrics()[0]).to.not.have.property('progress');
    await models.close();
    expect((await failure(first.view(totals).rebuild())).code).to.equal('TROUPE_SYSTEM_STOPPED');
  });
});
