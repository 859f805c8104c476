/** Laws of `unknownEvents`: what nobody knows is passed, counted, or stops the projection; what others handle never is. */
import { expect } from 'chai';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { TroupeError } from '../../src/core/troupe-error.js';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import { projection, type RuntimeProjection } from '../../src/projections/projection-definition.js';
import { Projections } from '../../src/projections/projections.js';
import { systemClock } from '../../src/core/clock.js';
import { EventLog } from './event-log.js';
import { ReadModels, settled } from './read-models.js';

/** The cast knows `added`, `moved` and `removed` of `thing`, and nothing of others. */
const KNOWN = new Set(['added', 'moved', 'removed']);
const known = ({ aggregate: name, type }: RecordedEvent): boolean => name === 'thing' && KNOWN.has(type);

const thing = aggregate({
  name: 'thing',
  initialState: () => ({}),
  events: {
    added: { apply: (state) => state },
    moved: { apply: (state) => state },
    removed: { apply: (state) => state },
  },
  commands: {},
});

interface Options {
  readonly unknownEvents?: 'pass' | 'skip' | 'fail';
  readonly whenFailed?: 'stop' | 'park';
  readonly of?: readonly [typeof thing];
  readonly name?: string;
}

const counts = ({ name = 'counts', ...options }: Options): RuntimeProjection =>
  projection({
    name,
    ...options,
    columns: { id: 'text primary key', n: 'integer' },
    key: ({ aggregateId }) => aggregateId,
    on: { added: (row = { n: 0 }) => ({ n: row.n + 1 }) },
  });

const bySql = (options: Options): RuntimeProjection =>
  projection({
    name: 'by-sql',
    ...options,
    columns: { id: 'text primary key', n: 'integer' },
    sql: {
      added: ({ aggregateId }) => [
        ['insert into by_sql (id, n) values (?, 1) on conflict (id) do update set n = n + 1', aggregateId],
      ],
    },
  });

describe('events of unknown types in a projection', () => {
  let models: ReadModels;
  let log: EventLog;
  const open: Projections[] = [];

  beforeEach(() => {
    models = new ReadModels();
    log = new EventLog();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.stop();
    await models.close();
  });

  const start = async (...definitions: RuntimeProjection[]): Promise<Projections> => {
    const { journal, window } = log;
    const running = new Projections({
      journal,
      window,
      definitions,
      viewsPath: models.path,
      clock: systemClock,
      log: models.log,
      known,
    });
    open.push(running);
    await running.start();
    await settled(running, log);
    return running;
  };

  /** Two unknown among those that are handled, and known ones that are not handled. */
  const story = (): void =>
    log.add(
      { type: 'added' },
      { type: 'moved' },
      { type: 'renamed' },
      { type: 'added' },
      { type: 'removed' },
      { type: 'gone', aggregate: 'ghost', id: 'g' },
      { type: 'added' },
    );

  for (const [kind, define] of [
    ['rows', counts],
    ['sql', bySql],
  ] as const) {
    for (const from of ['the journal', 'the window'] as const) {
      it(`${kind}, from ${from}: are counted by 'skip', and change nothing; those that it doesn't handle count for nothing`, async () => {
        story();
        if (from === 'the journal') log.reopen();
        const definition = define({ unknownEvents: 'skip' });
        const running = await start(definition);
        expect(await running.view(definition).find()).to.deep.equal([{ id: 'a', n: 3 }]);
        expect(running.metrics()[0]).to.include({ position: 7, lag: 0, state: 'running', skipped: 2 });
        expect(running.problems()).to.deep.equal([]);
        expect(models.log.matching('warn', /passes over events of types that the cast doesn't know/)).to.have.length(1);
        log.add({ type: 'renamed' }, { type: 'moved' });
        await settled(running, log);
        expect(running.metrics()[0]).to.include({ position: 9, skipped: 3 });
        expect(models.log.matching('warn', /passes over/)).to.have.length(1);
      });

      it(`${kind}, from ${from}: stop it in front of them by 'fail', which says where; a fix lets it go on`, async () => {
        story();
        if (from === 'the journal') log.reopen();
        const definition = define({ unknownEvents: 'fail' });
        const running = await start(definition);
        const [status] = running.metrics();
        expect(status).to.include({ state: 'stopped', position: 2, lag: 5 });
        expect(status?.error).to.match(
          /stopped at position 3 \(renamed of thing\/a\): thing\/a, version 3, position 3: event renamed is not defined in the cast; add it/,
        );
        expect(running.problems()[0]).to.include({ kind: 'projection-stopped', position: 3 });
        expect(await running.view(definition).find()).to.deep.equal([{ id: 'a', n: 1 }]);
        const refused = await running
          .view(definition)
          .caughtUp(7)
          .catch((error: unknown) => error);
        expect((refused as TroupeError).code).to.equal('TROUPE_INVALID_EVENT');
        await running.stop();
        const fixed = await start(define({ unknownEvents: 'skip' }));
        expect(await fixed.view(definition).find()).to.deep.equal([{ id: 'a', n: 3 }]);
      });
    }
  }

  it("are parked by 'fail' with whenFailed: 'park', one letter each, and the rows do without them", async () => {
    story();
    const definition = counts({ unknownEvents: 'fail', whenFailed: 'park' });
    const running = await start(definition);
    expect(running.metrics()[0]).to.include({ state: 'running', position: 7, parked: 2 });
    expect(running.problems().map(({ kind, position }) => ({ kind, position }))).to.deep.equal([
      { kind: 'event-parked', position: 3 },
      { kind: 'event-parked', position: 6 },
    ]);
    expect(await running.view(definition).find()).to.deep.equal([{ id: 'a', n: 3 }]);
  });

  it('of aggregates that are not in "of" are none of its business', async () => {
    story();
    const running = await start(counts({ of: [thing], unknownEvents: 'skip' }));
    expect(running.metrics()[0]).to.include({ position: 7, skipped: 1 });
  });

  it('are not looked for by default, nor does one that looks for them change what its neighbours see', async () => {
    story();
    log.reopen();
    const running = await start(counts({}), counts({ name: 'other', unknownEvents: 'skip' }), bySql({}));
    expect(running.metrics().map(({ skipped }) => skipped)).to.deep.equal([undefined, 2, undefined]);
    for (const definition of [counts({}), counts({ name: 'other' }), bySql({})])
      expect(await running.view(definition).find()).to.deep.equal([{ id: 'a', n: 3 }]);
  });

  it('the option is checked', () => {
    const wrong = { unknownEvents: 'ignore' } as unknown as Options;
    expect(() => counts(wrong)).to.throw(
      TroupeError,
      /projection counts: option "unknownEvents".*'pass'.*'skip'.*'fail'/,
    );
  });
});
