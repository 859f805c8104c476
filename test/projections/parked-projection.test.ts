/** Laws of `whenFailed: 'park'`, of `resume`, and of health that is progress. */
import { expect } from 'chai';
import { systemClock } from '../../src/core/clock.js';
import type { Clock } from '../../src/core/clock.js';
import { LIMITS } from '../../src/core/limits.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { TroupeError } from '../../src/core/troupe-error.js';
import { projection, type RuntimeProjection } from '../../src/projections/projection-definition.js';
import { ProjectionEngine } from '../../src/projections/projection-engine.js';
import { planProjection } from '../../src/projections/projection-plan.js';
import { Projections } from '../../src/projections/projections.js';
import { SharedHistory } from '../../src/projections/shared-history.js';
import { Turns } from '../../src/projections/turns.js';
import type { EncodedBatch, RowStore } from '../../src/projections/view-table.js';
import type { ParkedNote, ParkingOffice } from '../../src/projections/parked-notes.js';
import { EventLog } from './event-log.js';
import { eventually, hastyClock, LogLines, ReadModels, settled } from './read-models.js';

const broken = { value: true };

function sums(options: { whenFailed?: 'stop' | 'park'; bySql?: boolean; version?: number } = {}): RuntimeProjection {
  const { whenFailed = 'park', bySql = false, version = 1 } = options;
  const shared = {
    name: 'sums',
    version,
    whenFailed,
    columns: { id: 'text primary key', n: 'integer not null' },
  } as const;
  if (bySql) {
    return projection({
      ...shared,
      sql: {
        added: ({ aggregateId }) => [
          ['insert into sums (id, n) values (?, 1) on conflict (id) do update set n = n + 1', aggregateId],
        ],
        bad: ({ aggregateId }) => [['insert into sums (id, n) values (?, ?)', aggregateId, broken.value ? null : 100]],
      },
    });
  }
  return projection({
    ...shared,
    key: (event) => event.aggregateId,
    on: {
      added: (row = { n: 0 }) => ({ n: row.n + 1 }),
      bad: (row = { n: 0 }) => {
        if (broken.value) throw new Error('can not');
        return { n: row.n + 100 };
      },
    },
  });
}

class Office implements ParkingOffice {
  readonly notes = new Map<string, ParkedNote>();
  fails = 0;

  async keep(note: ParkedNote): Promise<void> {
    if (this.fails > 0) {
      this.fails -= 1;
      throw new Error('the disk is full');
    }
    this.notes.set(note.id, note);
  }
  drop(id: string): void {
    this.notes.delete(id);
  }
  parkedOf(name: string): readonly (ParkedNote & { at: number })[] {
    return [...this.notes.values()].filter(({ target }) => target.name === name).map((note) => ({ ...note, at: 1 }));
  }
}

describe("a projection with whenFailed: 'park'", () => {
  let models: ReadModels;
  let log: EventLog;
  let office: Office;
  let open: Projections[];

  beforeEach(() => {
    models = new ReadModels();
    log = new EventLog();
    office = new Office();
    broken.value = true;
    open = [];
  });

  afterEach(async () => {
    for (const one of open) await one.stop();
    await models.close();
  });

  const start = async (definition: RuntimeProjection, clock: Clock = systemClock): Promise<Projections> => {
    log.reopen();
    const { journal, window } = log;
    const started = new Projections({
      journal,
      window,
      definitions: [definition],
      viewsPath: models.path,
      clock,
      log: models.log,
      office,
    });
    open.push(started);
    await started.start();
    await settled(started, log);
    return started;
  };

  for (const bySql of [false, true]) {
    it(`does without the event${bySql ? ' of a statement that fails' : ''}, keeps a letter, and says so in metrics, health and log`, async () => {
      log.add({ type: 'added' }, { type: 'bad', data: { x: 1 } }, { type: 'bad', id: 'b' }, { type: 'added' });
      const running = await start(sums({ bySql }));
      expect(await running.view(sums({ bySql })).find()).to.deep.equal([{ id: 'a', n: 2 }]);
      expect(running.metrics()[0]).to.deep.equal({
        name: 'sums',
        version: 1,
        position: 4,
        lag: 0,
        state: 'running',
        parked: 2,
      });
      const [note] = office.notes.values();
      expect(note).to.deep.include({
        reason: 'parked',
        target: { name: 'sums', id: 'thing/a' },
        type: 'bad',
        payload: { x: 1 },
        position: 2,
      });
      expect(running.problems().map(({ kind, name, position }) => ({ kind, name, position }))).to.deep.equal([
        { kind: 'event-parked', name: 'sums', position: 2 },
        { kind: 'event-parked', name: 'sums', position: 3 },
      ]);
      expect(models.log.matching('error', /sums does without the event at position 2/)).to.have.length(1);
    });
  }

  it('keeps the letter before the rows pass the event, and tries until it is kept', async () => {
    office.fails = 2;
    log.add({ type: 'bad' }, { type: 'added' });
    const running = await start(sums(), {
      now: () => systemClock.now(),
      monotonic: () => systemClock.monotonic(),
      setTimer: (delayMs, fire, background) => systemClock.setTimer(Math.min(delayMs, 2), fire, background),
    });
    expect(office.notes.size).to.equal(1);
    expect(await running.view(sums()).find()).to.deep.equal([{ id: 'a', n: 1 }]);
  });

  it('a rebuild with handlers that can drops the letters; one that still can not has its own', async () => {
    log.add({ type: 'added' }, { type: 'bad' }, { type: 'bad', id: 'b' });
    const running = await start(sums());
    const [before] = office.notes.keys();
    await running.view(sums()).rebuild();
    expect(office.notes.size).to.equal(2);
    expect([...office.notes.keys()]).to.not.include(before);
    broken.value = false;
    const [letter] = office.parkedOf('sums');
    if (letter === undefined) throw new Error('there is a letter');
    expect(running.owns(letter)).to.equal(true);
    await running.retry(letter);
    expect(office.notes.size).to.equal(0);
    expect(await running.view(sums()).find()).to.deep.equal([
      { id: 'a', n: 101 },
      { id: 'b', n: 100 },
    ]);
    expect(running.problems()).to.deep.equal([]);
  });

  it('a new version drops the letters of the old one at the swap', async () => {
    log.add({ type: 'added' }, { type: 'bad' });
    await (await start(sums())).stop();
    expect(office.notes.size).to.equal(1);
    broken.value = false;
    const second = await start(sums({ version: 2 }));
    expect(await second.view(sums()).find()).to.deep.equal([{ id: 'a', n: 101 }]);
    expect(office.notes.size).to.equal(0);
  });

  it('a discarded letter does not come back with a restart', async () => {
    log.add({ type: 'bad' }, { type: 'bad' });
    await (await start(sums())).stop();
    office.notes.clear();
    const second = await start(sums());
    expect(office.notes.size).to.equal(0);
    expect(second.metrics()[0]).to.include({ position: 2, lag: 0 });
  });
});

describe('an event that has ended two workers', () => {
  it('is not tried again when the checkpoint behind it can not be written at first', async () => {
    const log = new EventLog();
    log.add({ type: 'added' }, { type: 'bad' }, { type: 'added' });
    const tried: number[] = [];
    const plan = planProjection(
      projection({
        name: 'sums',
        whenFailed: 'park',
        columns: { id: 'text primary key', n: 'integer' },
        key: (event) => {
          tried.push(event.position);
          return event.aggregateId;
        },
        on: { added: (row = { n: 0 }) => ({ n: row.n + 1 }), bad: (row) => row },
      }),
    );
    const written: EncodedBatch[] = [];
    let fails = 1;
    const store: RowStore = {
      fetch: () => Promise.resolve('[]'),
      readPosition: () => Promise.resolve(written.at(-1)?.position ?? 0),
      write: (batch) => {
        if (batch.position >= 2 && fails > 0) {
          fails -= 1;
          return Promise.reject(new TroupeError('TROUPE_JOURNAL_WRITE_FAILED', 'the disk is full'));
        }
        written.push(batch);
        return Promise.resolve();
      },
    };
    const parked: number[] = [];
    const around = {
      history: new SharedHistory(log.journal, [...plan.types]),
      window: log.window,
      turns: new Turns(systemClock),
      clock: hastyClock,
      log: new LogLines(),
      present: (event: RecordedEvent) => event,
    };
    const start = { position: 0, poisoned: { position: 2, error: new Error('two workers') } };
    const engine = new ProjectionEngine(around, plan, store, start, {
      moved: () => undefined,
      skipped: () => undefined,
      troubled: () => undefined,
      stopped: () => undefined,
      parked: async ({ position }) => {
        parked.push(position);
      },
      atHead: () => undefined,
    });
    engine.start();
    await eventually(() => engine.position === 3);
    await engine.stop();
    expect(fails).to.equal(0);
    expect(tried).to.not.include(2);
    // The same letter, once for each time that the fold came there.
    expect(parked).to.deep.equal([2, 2]);
    expect(written.map(({ position }) => position)).to.deep.equal([1, 2, 3]);
  });
});

describe('resume', () => {
  it('goes on in front of the event when the cause was outside, and stands still again when not', async () => {
    const models = new ReadModels();
    const log = new EventLog();
    broken.value = true;
    const definition = sums({ whenFailed: 'stop' });
    log.add({ type: 'added' }, { type: 'bad' }, { type: 'added' });
    const running = await models.start(log, [definition]);
    await settled(running, log);
    expect(running.metrics()[0]).to.include({ state: 'stopped', position: 1 });
    await running.view(definition).resume();
    await settled(running, log);
    expect(running.metrics()[0]).to.include({ state: 'stopped', position: 1 });
    broken.value = false;
    await running.view(definition).resume();
    await running.view(definition).caughtUp();
    expect(await running.view(definition).get('a')).to.deep.equal({ id: 'a', n: 102 });
    expect(running.problems()).to.deep.equal([]);
    await running.view(definition).resume();
    await models.close();
  });
});

describe('health is progress', () => {
  it(`a projection that is behind and has not moved for ${LIMITS.projectionStalledMs} ms is ill, and well again when it moves`, async () => {
    const models = new ReadModels();
    const log = new EventLog();
    let now = 1_000;
    const clock: Clock = {
      now: () => now,
      monotonic: () => now,
      setTimer: (delayMs, fire, background) => systemClock.setTimer(Math.min(delayMs, 2), fire, background),
    };
    log.add({ type: 'added' });
    log.reopen();
    let release: () => void = () => undefined;
    const { read } = log.journal;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    log.journal.read = async (query) => {
      await held;
      return read(query);
    };
    broken.value = false;
    const running = await models.start(log, [sums()], { clock });
    expect(running.problems()).to.deep.equal([]);
    now += LIMITS.projectionStalledMs - 1;
    expect(running.problems()).to.deep.equal([]);
    now += 1_001;
    const [problem] = running.problems();
    expect(problem).to.include({ kind: 'projection-stalled', name: 'sums', position: 0 });
    expect(problem?.error).to.match(/1 events? behind, and at position 0 for 11 s/);
    release();
    await settled(running, log);
    now += 60_000;
    expect(running.problems()).to.deep.equal([]);
    await eventually(() => running.metrics()[0]?.lag === 0);
    await models.close();
  });
});
