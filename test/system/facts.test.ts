/** Laws of `system.facts`: what happens in the runtime is told, whichever thread it happens on. */
import { expect } from 'chai';
import type { ActorSystem, SystemFact } from 'troupe';
import { eventually } from '../support/eventually.js';
import { caught, forEachNumberOfWorkers } from './fixtures/company.js';
import { faulty, narrow } from './fixtures/ensemble.js';

forEachNumberOfWorkers('facts', (start, workers) => {
  let system: ActorSystem;
  let told: SystemFact[];
  beforeEach(async () => {
    system = await start({ supervision: { maxRestarts: 1, backoff: { min: 1, max: 1, jitter: 0 } } });
    told = [];
  });
  afterEach(() => system.stop());

  const kindsOf = (id: string): string[] => told.flatMap((fact) => ('id' in fact && fact.id === id ? [fact.kind] : []));
  const subscribe = (): void => void system.facts.subscribe((fact) => void told.push(fact));

  it('tell the life of an actor in order: spawned, failed, restarted, escalated, stopped', async () => {
    subscribe();
    const ref = await system.spawn(faulty, { id: 'f' });
    await caught(ref.ask('fail', { name: 'RangeError', text: 'one' }));
    await eventually(() => kindsOf('f').includes('restarted'));
    await caught(ref.ask('fail', { name: 'Error', text: 'two' }));
    await eventually(() => kindsOf('f').includes('stopped'));
    expect(kindsOf('f')).to.deep.equal(['spawned', 'failed', 'restarted', 'failed', 'stopped']);
    const [first, second] = told.filter((fact) => fact.kind === 'failed');
    expect(first).to.include({ directive: 'restart', name: 'faulty' });
    expect((first as { error: unknown }).error).to.be.instanceOf(RangeError);
    expect(second).to.include({ directive: 'escalate' });
    expect(told.every(({ at, thread }) => at > 1e12 && thread >= 0 && thread <= workers)).to.equal(true);
  });

  it('tell of mailboxes that fill, and of what is dropped', async () => {
    subscribe();
    const ref = await system.spawn(narrow, { id: 'n' });
    const first = ref.ask('slow', undefined, { timeout: '30s' });
    // In one turn: the mailbox takes the ask, and nine of these.
    for (let i = 0; i < 12; i += 1) ref.tell('note', i);
    await first;
    await eventually(() => system.metrics().facts.dropped === 3);
    await eventually(() => kindsOf('n').filter((kind) => kind === 'dropped').length === 3);
    expect(told.filter((fact) => fact.kind === 'mailbox-high-water')).to.have.length(2);
    expect(system.deadLetters.list()).to.have.length(3);
    await eventually(() => kindsOf('n').filter((kind) => kind === 'dead-letter').length === 3);
  });

  it('are counted when nobody listens, and told no more after unsubscribing', async () => {
    const subscription = system.facts.subscribe((fact) => void told.push(fact));
    await system.spawn(faulty, { id: 'a' });
    await eventually(() => kindsOf('a').length === 1);
    subscription.unsubscribe();
    await system.spawn(faulty, { id: 'b' });
    await eventually(() => system.metrics().facts.spawned === 2);
    expect(kindsOf('b')).to.deep.equal([]);
  });

  it('survive a subscriber that throws', async () => {
    system.facts.subscribe(() => {
      throw new Error('a bad tool');
    });
    subscribe();
    await system.spawn(faulty, { id: 'a' });
    await eventually(() => kindsOf('a').length === 1);
  });

  it('tell the phases of stop(), in order, to whoever is still there', async () => {
    subscribe();
    const report = await system.stop();
    const phases = told.flatMap((fact) => (fact.kind === 'stop-phase' ? [fact.phase] : []));
    expect(phases).to.deep.equal(['intake', 'reactions', 'sagas', 'mailboxes', 'actors', 'commit', 'close']);
    expect(report.complete).to.equal(true);
    expect(report.phases.map(({ phase }) => phase)).to.deep.equal(phases);
    expect(report.unhandled).to.deep.equal({});
  });

  if (workers > 0) {
    it('tell of a worker whose loop stands still: blocked, lost for that reason, replaced, and its actors begun anew', async () => {
      const blocking = await start({ limits: { blockedAfter: '1s' } });
      blocking.facts.subscribe((fact) => void told.push(fact));
      const ref = await blocking.spawn(faulty, { id: 'b' });
      const thread = await caught(ref.ask('spin', undefined, { timeout: '60s' }));
      expect(thread.code).to.equal('TROUPE_WORKER_LOST');
      expect(await ref.ask('add', 1, { timeout: '30s' })).to.equal(1);
      await eventually(() => kindsOf('b').includes('restarted'));
      const about = told.flatMap((fact) => ('worker' in fact ? [fact] : []));
      const guilty = about.find((fact) => fact.kind === 'worker-blocked');
      expect(guilty).to.have.property('stillMs').that.is.within(1_000, 30_000);
      const kinds = about.flatMap((fact) => (fact.worker === guilty?.worker ? [fact.kind] : []));
      expect(kinds).to.deep.equal(['worker-blocked', 'worker-lost', 'worker-ready']);
      expect(about.find((fact) => fact.kind === 'worker-lost')).to.include({ reason: 'blocked' });
      expect(blocking.metrics().workerLossReasons).to.deep.equal({ blocked: 1 });
      expect(blocking.metrics().facts['worker-blocked']).to.equal(1);
      await blocking.stop();
    });

    it('tell of a worker that is lost and replaced, and keep what it had counted', async () => {
      subscribe();
      const ref = await system.spawn(faulty, { id: 'a' });
      await eventually(() => system.metrics().facts.spawned === 1);
      await caught(ref.ask('die'));
      await eventually(() => told.some((fact) => fact.kind === 'worker-ready'));
      const [lost] = told.filter((fact) => fact.kind === 'worker-lost');
      expect(lost).to.include({ reason: 'exit' });
      await eventually(() => kindsOf('a').includes('restarted'));
      expect(system.metrics().facts).to.include({ spawned: 1, 'worker-lost': 1 });
    });
  }
});
