/** Laws of a projection that meets an event it can't take: it stands still there, shows why, and harms nobody. */
import { expect } from 'chai';
import { projection, type RuntimeProjection } from '../../src/projections/projection-definition.js';
import { counts, foldByHand } from './counting.js';
import { EventLog } from './event-log.js';
import { failure, ReadModels, settled } from './read-models.js';

/** Takes `added` as long as `bad` doesn't say otherwise. */
function fragile(bad: (row: Record<string, unknown>) => unknown, name = 'fragile'): RuntimeProjection {
  return projection({
    name,
    columns: {
      id: 'text primary key',
      n: 'integer null',
      share: 'real null',
      label: 'text null',
      tags: 'json null',
      sure: 'integer not null',
    },
    key: (event) => event.aggregateId,
    on: {
      added: (row = { n: 0, share: null, label: null, tags: null, sure: 1 }) => ({ ...row, n: (row.n ?? 0) + 1 }),
      bad: bad as () => undefined,
    },
  });
}

describe('a projection that is stopped by an event', () => {
  let models: ReadModels;
  let log: EventLog;

  beforeEach(() => {
    models = new ReadModels();
    log = new EventLog();
  });

  afterEach(() => models.close());

  it('keeps what came before, stands in front of the event, and waits; the others go on', async () => {
    const definition = fragile(() => {
      throw new Error('no such thing');
    });
    const data = { n: 1 };
    log.add({ type: 'added', data }, { type: 'added', data }, { type: 'bad', id: 'x' }, { type: 'added', data });
    const running = await models.start(log, [definition, counts]);
    await settled(running, log);
    log.add({ type: 'added', data });
    await settled(running, log);
    expect((await running.view(definition).get('a'))?.['n']).to.equal(2);
    const [stopped, other] = running.metrics();
    expect(stopped).to.include({ name: 'fragile', version: 1, position: 2, lag: 3, state: 'stopped' });
    expect(stopped?.error).to.match(
      /^projection fragile stopped at position 3 \(bad of thing\/x\): no such thing; .*rebuild\(\)/,
    );
    expect(other).to.deep.equal({ name: 'counts', version: 1, position: 5, lag: 0, state: 'running' });
    expect(running.problems()).to.deep.equal([
      { name: 'fragile', kind: 'projection-stopped', position: 3, error: stopped?.error },
    ]);
    expect(models.log.matching('error', /fragile/)).to.deep.equal([stopped?.error]);
    expect(await running.view(counts).find()).to.deep.equal(foldByHand(log)[0]);
  });

  it('caughtUp fails at once with its error, also for those who wait already; what is in the rows is not refused', async () => {
    const definition = fragile(() => {
      throw new Error('no such thing');
    });
    log.add({ type: 'added' });
    const running = await models.start(log, [definition]);
    await settled(running, log);
    const waiting = failure(running.view(definition).caughtUp(3));
    log.add({ type: 'bad' });
    const error = await waiting;
    expect(error.code).to.equal('TROUPE_ACTOR_FAILED');
    expect(error.message).to.match(/stopped at position 2/);
    expect((error.cause as Error).message).to.equal('no such thing');
    expect((await failure(running.view(definition).caughtUp())).code).to.equal('TROUPE_ACTOR_FAILED');
    await running.view(definition).caughtUp(1);
  });

  it('goes on after a restart with a handler that can', async () => {
    log.add({ type: 'added' }, { type: 'bad' }, { type: 'added' });
    const first = await models.start(log, [fragile(() => 'nonsense')]);
    await settled(first, log);
    await first.stop();
    const mended = fragile((row) => ({ ...row, label: 'mended' }));
    const second = await models.start(log, [mended]);
    await settled(second, log);
    expect(await second.view(mended).get('a')).to.deep.include({ n: 2, label: 'mended' });
    expect(second.problems()).to.deep.equal([]);
  });

  it('goes on by rebuild() when the cause was outside, and rebuild() rejects while it is not', async () => {
    let broken = true;
    const definition = fragile((row) => {
      if (broken) throw new Error('outside');
      return { ...row, label: 'ok' };
    });
    log.add({ type: 'added' }, { type: 'bad' }, { type: 'added' });
    const running = await models.start(log, [definition]);
    await settled(running, log);
    expect((await failure(running.view(definition).rebuild())).message).to.match(/stopped at position 2.*outside/);
    expect(running.metrics()[0]).to.include({ state: 'stopped', position: 1 });
    expect((await running.view(definition).get('a'))?.['n']).to.equal(1);
    broken = false;
    await running.view(definition).rebuild();
    expect(await running.view(definition).get('a')).to.deep.include({ n: 2, label: 'ok' });
    expect(running.metrics()[0]).to.include({ state: 'running', lag: 0 });
    log.add({ type: 'added' });
    await running.view(definition).caughtUp();
    expect((await running.view(definition).get('a'))?.['n']).to.equal(3);
  });

  const refusals: Record<string, { readonly value: unknown; readonly words: RegExp }> = {
    'a text': { value: 'nonsense', words: /returned 'nonsense'; return the new row as an object/ },
    'an array': { value: [1], words: /returned an array of 1/ },
    'a promise': { value: Promise.resolve({}), words: /returned a promise; handlers are synchronous/ },
    'an unknown column': {
      value: { sure: 1, lable: 'x' },
      words: /"lable".*did you mean 'label'\?; columns are id, n/,
    },
    'NaN in an integer column': { value: { sure: 1, n: NaN }, words: /NaN in column n \(integer\)/ },
    'a fraction in an integer column': {
      value: { sure: 1, n: 1.5 },
      words: /1\.5 in column n \(integer\).*type 'real'/,
    },
    'a whole number beyond 2^53': { value: { sure: 1, n: 2 ** 53 }, words: /column n \(integer\)/ },
    'a boolean in an integer column': { value: { sure: true }, words: /use 1 and 0/ },
    'a bigint': { value: { sure: 1, n: 5n }, words: /5n in column n/ },
    'Infinity in a real column': { value: { sure: 1, share: Infinity }, words: /Infinity in column share \(real\)/ },
    'a number in a text column': { value: { sure: 1, label: 5 }, words: /5 in column label \(text\)/ },
    'an object in a text column': {
      value: { sure: 1, label: {} },
      words: /an object in column label \(text\).*type 'json'/,
    },
    'a Date in a json column': {
      value: { sure: 1, tags: { at: new Date(0) } },
      words: /column tags: the field at is a Date/,
    },
    'a function in a json column': { value: { sure: 1, tags: () => 1 }, words: /column tags: the value is a function/ },
    'null in a column that is not null': { value: { sure: null }, words: /null in column sure \(integer not null\)/ },
    'nothing in a column that is not null': { value: {}, words: /undefined in column sure/ },
    'another key': { value: { sure: 1, id: 'b' }, words: /'b' in the key column id of row 'a'/ },
  };
  for (const [what, { value, words }] of Object.entries(refusals)) {
    it(`refuses ${what}, and says what fits`, async () => {
      const definition = fragile(() => value);
      log.add({ type: 'added' }, { type: 'bad' });
      const running = await models.start(log, [definition], { path: ':memory:' });
      await settled(running, log);
      expect(running.metrics()[0]?.error).to.match(words);
      expect(running.metrics()[0]).to.include({ state: 'stopped', position: 1 });
    });
  }

  for (const [what, key] of Object.entries({ 'a number': 5, 'an object': {}, 'true among several': ['a', true] })) {
    it(`refuses ${what} as a text key`, async () => {
      const definition = projection({
        name: 'keyed',
        columns: { id: 'text primary key' },
        key: () => key as string,
        on: { added: () => ({}) },
      });
      log.add({ type: 'added' });
      const running = await models.start(log, [definition], { path: ':memory:' });
      await settled(running, log);
      expect(running.metrics()[0]?.error).to.match(/the key has .* in column id \(text\); give a string/);
    });
  }

  it('a handler that changes the row it got is stopped: rows are frozen', async () => {
    const definition = fragile((row) => {
      row['n'] = 1_000;
      return row;
    });
    log.add({ type: 'added' }, { type: 'bad' });
    const running = await models.start(log, [definition]);
    await settled(running, log);
    expect(running.metrics()[0]?.error).to.match(/Cannot assign to read only property 'n'/);
    expect((await running.view(definition).get('a'))?.['n']).to.equal(1);
  });

  it('a handler that keeps what it returned, and changes it later, changes no row', async () => {
    let kept: { n: number; tags: string[] } | undefined;
    const keeper = projection({
      name: 'keeper',
      columns: { id: 'text primary key', n: 'integer', tags: 'json' },
      key: (event) => event.aggregateId,
      on: {
        added: (row) => {
          if (kept !== undefined) {
            kept.n = 500;
            kept.tags.push('changed');
          }
          kept = { n: (row?.n ?? 0) + 1, tags: [...((row?.tags ?? []) as string[]), 'x'] };
          return kept;
        },
      },
    });
    log.add({ type: 'added' }, { type: 'added' }, { type: 'added' });
    const running = await models.start(log, [keeper]);
    await settled(running, log);
    expect(await running.view(keeper).get('a')).to.deep.equal({ id: 'a', n: 3, tags: ['x', 'x', 'x'] });
  });

  it('an event with several keys changes all of its rows, or none when one of them can not be', async () => {
    const several = projection({
      name: 'several',
      columns: { id: 'text primary key', n: 'integer' },
      key: () => ['a', 'b', 'c'],
      on: {
        added: (row = { n: 0 }, { position }, key) => ({ n: key === 'b' && position === 2 ? 0.5 : row.n + 1 }),
      },
    });
    log.add({ type: 'added' }, { type: 'added' });
    const running = await models.start(log, [several]);
    await settled(running, log);
    expect((await running.view(several).find()).map((row) => row.n)).to.deep.equal([1, 1, 1]);
    expect(running.metrics()[0]).to.include({ state: 'stopped', position: 1 });
  });
});
