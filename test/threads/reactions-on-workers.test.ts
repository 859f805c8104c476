/** Handlers of reactions on worker threads: what `workers: 0` gives, and what happens when their thread dies. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem, type Duration, type RecordedEvent } from 'troupe';
import type { Death } from './fixtures/mortal.js';
import { bench, type Work } from './fixtures/workshop.js';

const silent = { debug: noop, info: noop, warn: noop, error: noop };
const EXIT: Death = { way: 'exit', moment: 'handling', once: null, afterMs: 0 };

describe('reactions on worker threads', function () {
  // A successor takes its time on a busy machine.
  this.timeout(90_000);
  let folder = '';
  let system: ActorSystem;
  /** A worker that is merely kept waiting by a busy machine must not be taken for one that is blocked. */
  const start = (blockedAfter: Duration = '30s'): Promise<ActorSystem> =>
    ActorSystem.start({
      cast: new URL('./fixtures/workshop.js', import.meta.url),
      workers: 2,
      journal: join(folder, 'test.db'),
      limits: { blockedAfter, askTimeout: '60s' },
      log: silent,
    });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-'));
    system = await start();
  });
  afterEach(async () => {
    await system.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const give = (id: string, work: Work): Promise<number> => system.ref(bench, id).ask('give', { work });
  const letters = (): string[] => system.deadLetters.list().map(({ reason, target }) => `${reason} ${target.name}`);
  const reports = async (id: string): Promise<RecordedEvent['data'][]> => {
    const all: RecordedEvent['data'][] = [];
    for await (const event of system.read(bench, id)) if (event.type === 'job.reported') all.push(event.data);
    return all;
  };
  /** Two benches that live on one worker, and one that doesn't. */
  const neighbours = async (): Promise<{ here: string; beside: string; elsewhere: string }> => {
    const threads = new Map<string, number>();
    for (let i = 0; i < 16; i += 1) threads.set(`n-${i}`, await system.ref(bench, `n-${i}`).ask('thread'));
    const [[here, thread]] = [...threads] as [[string, number]];
    const beside = [...threads].find(([id, one]) => one === thread && id !== here)?.[0] ?? '';
    const elsewhere = [...threads].find(([, one]) => one !== thread)?.[0] ?? '';
    expect([beside, elsewhere]).to.not.include('');
    return { here, beside, elsewhere };
  };

  it('run where the aggregate of the event lives, and get frozen events', async () => {
    const threads = new Set<number>();
    for (let i = 0; i < 8; i += 1) {
      const thread = await give(`b-${i}`, { kind: 'report' });
      threads.add(thread);
      await system.settled();
      expect(await reports(`b-${i}`)).to.deep.equal([{ thread, attempt: 1, text: 'frozen true' }]);
    }
    expect(threads.size).to.equal(2);
  });

  it('get the reply to an ask, on whichever thread the target lives', async () => {
    const { here, beside, elsewhere } = await neighbours();
    for (const at of [beside, elsewhere]) await give(here, { kind: 'look', at });
    await system.settled();
    expect((await reports(here)).map((one) => (one as { text: string }).text)).to.deep.equal(
      [beside, elsewhere].map(() => JSON.stringify({ n: 1, reports: 0 })),
    );
  });

  it('settled() waits for handlers that are under way on workers', async () => {
    await give('a', { kind: 'wait', ms: 60 });
    await system.settled();
    expect((await reports('a')).length).to.equal(1);
  });

  it('are tried again as often as retry says, then parked with class, code and cause of what they threw', async () => {
    await give('a', { kind: 'fail', times: 2, to: 'a' });
    await system.settled();
    expect(await reports('a')).to.deep.include.members([(await reports('a'))[0]]);
    expect((await reports('a')).map((one) => (one as { attempt: number }).attempt)).to.deep.equal([3]);
    await give('a', { kind: 'fail', times: 99, to: 'a' });
    await give('a', { kind: 'report' });
    await system.settled();
    const [letter] = system.deadLetters.list();
    expect(letter).to.deep.include({ reason: 'parked', type: 'job.given', target: { name: 'worker', id: 'bench/a' } });
    expect(letter?.error?.code).to.equal('TROUPE_ACTOR_FAILED');
    expect(letter?.error?.message).to.contain('it slipped');
    expect(letter?.error?.cause).to.contain('it slipped');
    expect(await reports('a')).to.have.length(1);
    await system.deadLetters.discard(letter?.id ?? '');
    await system.settled();
    expect(await reports('a')).to.have.length(2);
  });

  it('make one dead letter of a told command that is refused, wherever it was refused', async () => {
    const { here, beside, elsewhere } = await neighbours();
    for (const to of [beside, elsewhere]) {
      await give(here, { kind: 'refused', to, ask: false });
      await system.settled();
    }
    expect(
      system.deadLetters.list().map(({ reason, target, error }) => [reason, target.id, error?.reason]),
    ).to.deep.equal([
      ['rejected', beside, 'no-room'],
      ['rejected', elsewhere, 'no-room'],
    ]);
    expect(await reports(here)).to.have.length(2);
  });

  it('give a refused command a second chance, under a fresh id, when its parked event is retried', async () => {
    await give('a', { kind: 'refused', to: 'b', ask: true });
    await system.settled();
    const [letter] = system.deadLetters.list();
    expect(letter?.error).to.deep.include({ code: 'TROUPE_REJECTED', reason: 'no-room' });
    await system.deadLetters.retry(letter?.id ?? '');
    expect(letters()).to.deep.equal(['parked worker']);
  });

  it('make a dead letter of a command that comes after the handler had resolved', async () => {
    await give('a', { kind: 'late' });
    await eventually(() => letters().length > 0);
    expect(letters()).to.deep.equal(['invalid-message bench']);
    expect(await reports('a')).to.have.length(0);
  });

  for (const way of ['exit', 'block'] as const) {
    it(`park an event whose handler kills its worker (${way}) after the second death; other keys go on`, async () => {
      if (way === 'block') {
        await system.stop();
        system = await start('1s');
      }
      const { here, beside } = await neighbours();
      await give(here, { kind: 'die', death: { ...EXIT, way } });
      await give(here, { kind: 'report' });
      await Promise.all([1, 2, 3].map(() => give(beside, { kind: 'report' })));
      await eventually(() => letters().length > 0);
      await system.settled();
      expect(letters()).to.deep.equal(['parked worker']);
      const [letter] = system.deadLetters.list();
      expect(letter?.error?.code).to.equal('TROUPE_WORKER_LOST');
      expect(system.metrics().workerLosses).to.equal(2);
      expect(system.health().problems.map(({ kind, name }) => [kind, name])).to.deep.equal([['key-parked', 'worker']]);
      expect(await reports(beside)).to.have.length(3);
      // What it had told before it died took effect once; what stands behind the event waits.
      expect(await reports(here)).to.have.length(1);
      await system.deadLetters.discard(letter?.id ?? '');
      await system.settled();
      expect(await reports(here)).to.have.length(2);
      expect(system.health().ok).to.equal(true);
    });
  }

  it('run again when their worker is lost, as the same attempt, and double nothing', async () => {
    const once = join(folder, 'once');
    const ids = Array.from({ length: 12 }, (_, i) => `b-${i}`);
    await Promise.all(ids.map((id) => give(id, { kind: 'wait', ms: 100 })));
    await give('killer', { kind: 'die', death: { ...EXIT, once } });
    await system.settled();
    expect(system.metrics().workerLosses).to.equal(1);
    expect(letters()).to.deep.equal([]);
    for (const id of ids) {
      expect((await reports(id)).map((one) => (one as { attempt: number }).attempt)).to.deep.equal([1]);
    }
    expect((await reports('killer')).map((one) => (one as { text: string }).text)).to.deep.equal([
      'about to die',
      'alive',
    ]);
  });

  for (const place of ['beside', 'elsewhere'] as const) {
    it(`quarantine their command that kills a worker (${place}), and park the event`, async () => {
      const found = await neighbours();
      await give(found.here, { kind: 'kill', to: found[place], death: EXIT });
      await eventually(() => letters().length > 1);
      await system.settled();
      expect(letters().sort()).to.deep.equal(['parked worker', 'quarantined bench']);
      expect(system.metrics().workerLosses).to.equal(2);
      expect(
        system
          .health()
          .problems.map(({ kind }) => kind)
          .sort(),
      ).to.deep.equal(['key-parked', 'message-quarantined']);
      expect(await system.ref(bench, found[place]).ask('thread')).to.be.a('number');
      expect(await reports(found.here)).to.have.length(1);
    });
  }

  it('hear by ctx.signal that the system stops, and get their event again at the next start', async () => {
    await give('a', { kind: 'until-stopped' });
    await eventually(() => system.metrics().handled >= 2);
    // If the handler didn't hear it, it would be waited for until its time was up.
    const { phases } = await system.stop({ timeout: '60s' });
    expect(phases.find(({ phase }) => phase === 'reactions')).to.include({ complete: true });
    system = await start();
    expect(system.deadLetters.list()).to.deep.equal([]);
    expect(system.metrics().reactions[0]?.lag).to.be.greaterThan(0);
  });
});

async function eventually(condition: () => boolean, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) expect.fail(`not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function noop(): void {}
