/** Laws of families and mailboxes through the public face, the same for every number of workers. */
import { expect } from 'chai';
import {
  type ActorRef,
  type ActorSystem,
  isTroupeError,
  type Logger,
  type SupervisionOptions,
  type SystemFact,
} from 'troupe';
import { eventually } from '../support/eventually.js';
import { caught, forEachNumberOfWorkers } from './fixtures/company.js';
import { fair, fresh, gate, judge, loyal, patient, pupil, strait, strict } from './fixtures/nursery.js';

type Pupil = ActorRef<typeof pupil>;

const CAST = new URL('./fixtures/nursery.js', import.meta.url);
/** Ids are used once in a process: lives are counted by them. */
let lastId = 0;
const newIds = (count: number): string[] => Array.from({ length: count }, () => `n${(lastId += 1)}`);
/** Longer than the window of `patient`. */
const WINDOW_MS = 3_100;

async function failed(ref: Pupil, name: 'Error' | 'RangeError' | 'TypeError' | 'SyntaxError'): Promise<void> {
  expect((await caught(ref.ask('fail', name))).code).to.equal('TROUPE_ACTOR_FAILED');
}

const stoppedOf = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => false,
    (error: unknown) => (error as { code?: unknown }).code === 'TROUPE_ACTOR_STOPPED',
  );

forEachNumberOfWorkers('families', (start, workers) => {
  let system: ActorSystem;
  let facts: SystemFact[];
  const begin = async (supervision: SupervisionOptions = {}, log?: Logger): Promise<void> => {
    const soon = { backoff: { min: 1, max: 1, jitter: 0 } };
    system = await start({ cast: CAST, supervision: { ...soon, ...supervision }, ...(log && { log }) });
    facts = [];
    system.facts.subscribe((fact) => void facts.push(fact));
  };
  afterEach(() => system.stop());

  it('restart a child as often as the window allows, again when it has slid on, and escalate the next failure', async () => {
    await begin();
    const top = await system.spawn(patient, { id: newIds(1)[0] as string });
    const [kid] = (await top.ask('bear', newIds(1))) as [Pupil];
    for (let round = 0; round < 2; round += 1) {
      for (let n = 0; n < 2; n += 1) await failed(kid, 'Error');
      expect(await kid.ask('life')).to.equal(3 + round * 2);
      // The failures leave the window; nothing else could be waited for.
      if (round === 0) await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    }
    expect(await top.ask('life')).to.equal(1);
    await failed(kid, 'Error');
    await eventually(async () => (await top.ask('life')) === 2);
    // The new life knows nothing of the children of the one before.
    expect(await stoppedOf(kid.ask('life'))).to.equal(true);
    expect(facts.filter((fact) => fact.kind === 'failed' && fact.directive === 'escalate')).to.have.length(1);
  });

  it('restart all with all-for-one, those spawned later with rest-for-one, each once', async () => {
    await begin();
    for (const [definition, expected] of [
      [strict, [2, 2, 2]],
      [fair, [1, 2, 2]],
    ] as const) {
      const top = await system.spawn(definition);
      const kids = await top.ask('bear', newIds(3));
      for (const kid of kids) kid.tell('hit', 1);
      await failed(kids[1] as Pupil, 'Error');
      const now = (): Promise<number[]> => Promise.all(kids.map((kid) => kid.ask('life')));
      await eventually(async () => (await now()).join() === expected.join());
      expect(await Promise.all(kids.map(async (kid) => (await kid.ask('seen')).length))).to.deep.equal(
        expected.map((life) => (life === 1 ? 1 : 0)),
      );
      expect(await top.ask('life')).to.equal(1);
    }
  });

  it('resume, restart, stop or escalate, by the error', async () => {
    await begin({ decide: () => 'stop' });
    const top = await system.spawn(judge);
    const [resumed, restarted, stopped, escalated] = (await top.ask('bear', newIds(4))) as [Pupil, Pupil, Pupil, Pupil];
    for (const kid of [resumed, restarted]) kid.tell('hit', 7);
    await failed(resumed, 'RangeError');
    expect([await resumed.ask('life'), await resumed.ask('seen')]).to.deep.equal([1, [7]]);
    await failed(restarted, 'Error');
    expect([await restarted.ask('life'), await restarted.ask('seen')]).to.deep.equal([2, []]);
    await failed(stopped, 'TypeError');
    expect(await stoppedOf(stopped.ask('life'))).to.equal(true);
    expect(await top.ask('life')).to.equal(1);
    await failed(escalated, 'SyntaxError');
    for (const ref of [top, resumed, restarted, escalated] as Pupil[]) {
      await eventually(() => stoppedOf(ref.ask('life')));
    }
  });

  it('forget with a restart what a handler had changed before it threw, and keep it with a resume', async () => {
    await begin({ decide: (error) => ((error as Error).name === 'RangeError' ? 'resume' : 'restart') });
    const ref = await system.spawn(pupil, { id: newIds(1)[0] as string });
    await caught(ref.ask('changeAndFail', 'RangeError'));
    expect(await ref.ask('seen')).to.deep.equal([-1]);
    await caught(ref.ask('changeAndFail', 'Error'));
    expect(await ref.ask('seen')).to.deep.equal([]);
  });

  it('that escalate beyond the system are stopped, children and all; others go on, and the ids are free', async () => {
    await begin({ decide: () => 'escalate' });
    const [id, kidId] = newIds(2) as [string, string];
    const top = await system.spawn(judge, { id });
    const other = await system.spawn(judge);
    const [kid] = (await top.ask('bear', [kidId])) as [Pupil];
    await failed(kid, 'SyntaxError');
    await eventually(() => stoppedOf(top.ask('life')));
    await eventually(() => stoppedOf(kid.ask('life')));
    expect(await other.ask('life')).to.equal(1);
    await Promise.all([top.stop(), kid.stop()]);
    const next = await system.spawn(judge, { id });
    const [again] = (await next.ask('bear', [kidId])) as [Pupil];
    expect(await again.ask('seen')).to.deep.equal([]);
  });

  for (const at of ['initialState', 'started'] as const) {
    it(`try ${at} again when it fails, and handle what came meanwhile in order`, async () => {
      await begin();
      const ref = await system.spawn(pupil, { id: newIds(1)[0] as string, args: { at, times: 3 } });
      for (let n = 1; n <= 20; n += 1) ref.tell('hit', n);
      expect(await ref.ask('seen')).to.deep.equal(Array.from({ length: 20 }, (_, i) => i + 1));
      expect(await ref.ask('life')).to.equal(4);
      expect(system.deadLetters.list()).to.deep.equal([]);
    });

    it(`stop a top-level actor whose ${at} fails a 4th time: what waits fails, or is a dead letter`, async () => {
      await begin();
      const ref = await system.spawn(pupil, { id: newIds(1)[0] as string, args: { at, times: 99 } });
      ref.tell('hit', 1);
      expect((await caught(ref.ask('life'))).code).to.equal('TROUPE_ACTOR_STOPPED');
      await eventually(() => system.deadLetters.list().length === 1);
      expect(system.deadLetters.list()[0]).to.include({ reason: 'stopped', type: 'hit', payload: 1 });
      expect(facts.filter((fact) => fact.kind === 'restarted')).to.have.length(3);
    });
  }

  it('wait before each restart, twice as long up to the longest, jitter on top, and keep what comes in order', async () => {
    await begin({ maxRestarts: Infinity, backoff: { min: 20, max: 80, jitter: 0.5 } });
    const ref = await system.spawn(pupil, { id: newIds(1)[0] as string });
    // They all wait in the mailbox while it is down.
    for (let n = 0; n < 5; n += 1) ref.tell('fail', 'Error');
    for (let n = 1; n <= 20; n += 1) ref.tell('hit', n);
    expect(await ref.ask('seen', undefined, { timeout: '30s' })).to.deep.equal(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    await eventually(() => facts.filter((fact) => fact.kind === 'failed').length === 5);
    const delays = facts.flatMap((fact) => (fact.kind === 'failed' ? [fact.delayMs] : []));
    for (const [i, least] of [20, 40, 80, 80, 80].entries()) expect(delays[i]).to.be.within(least, least * 1.5);
    expect(new Set(delays.map((delay, i) => delay / Math.min(80, 20 * 2 ** i))).size).to.be.above(1);
  });

  it('tell who watches of an end once, not of a restart, and of what has gone already at once', async () => {
    await begin();
    const top = await system.spawn(patient);
    const [id] = newIds(1) as [string];
    const kid = await top.ask('bearAndWatch', id);
    await failed(kid, 'Error');
    expect(await kid.ask('life')).to.equal(2);
    expect(await top.ask('told')).to.deep.equal([]);
    await kid.stop();
    await eventually(async () => (await top.ask('told')).length > 0);
    await system.settled();
    expect(await top.ask('told')).to.deep.equal([id]);
  });

  it('end within the time that an actor has to stop, also with a child whose handler never ends', async () => {
    await begin();
    const top = await system.spawn(patient);
    const [hanging, good] = (await top.ask('bear', newIds(2))) as [Pupil, Pupil];
    const never = caught(hanging.ask('hang', undefined, { timeout: '60s' }));
    expect(await good.ask('life')).to.equal(1);
    await top.stop();
    expect((await never).code).to.equal('TROUPE_ACTOR_STOPPED');
    expect(await stoppedOf(good.ask('life'))).to.equal(true);
    await eventually(() => facts.some((fact) => fact.kind === 'left-behind' && fact.type === 'hang'));
  });

  it('are unique by id: a second child of a living id is refused, or stopped at once and logged, and the first one goes on', async () => {
    const errors: string[] = [];
    const line = (): void => undefined;
    const log = { debug: line, info: line, warn: line, error: (text: string) => void errors.push(text) };
    await begin({ decide: () => 'resume' }, log);
    const tops = await Promise.all(Array.from({ length: 4 }, () => system.spawn(patient)));
    const ids = newIds(6);
    const [first, ...others] = tops as [(typeof tops)[0], ...typeof tops];
    const kids = await first.ask('bear', ids);
    for (const kid of kids) await kid.ask('hit', 7);
    let refused = 0;
    for (const top of others) {
      for (const id of ids) {
        const error: unknown = await top.ask('bear', [id]).catch((one: unknown) => one);
        if (isTroupeError(error) && isTroupeError(error.cause, 'TROUPE_INVALID_OPTIONS')) refused += 1;
        // Both have met, if there are two.
        await system.settled();
        for (const kid of kids) await eventually(async () => (await kid.ask('seen').catch(() => [])).join() === '7');
      }
    }
    await eventually(() => refused + errors.filter((text) => text.includes('is running already: ')).length === 18);
    if (workers === 0) expect(refused).to.equal(18);
  });
});

forEachNumberOfWorkers('mailboxes', (start) => {
  let system: ActorSystem;
  before(async () => {
    system = await start({ cast: CAST });
  });
  after(() => system.stop());

  const lettersOf = ({ id }: { readonly id: string }): string[] =>
    system.deadLetters
      .list()
      .flatMap(({ target, reason, payload }) => (target.id === id ? [`${reason} ${String(payload)}`] : []));

  for (const [definition, kept, lost] of [
    [strait, [1, 2, 3, 4], ['mailbox-full 5', 'mailbox-full 6']],
    [fresh, [3, 4, 5, 6], ['dropped-oldest 1', 'dropped-oldest 2']],
    [loyal, [1, 2, 3, 4], ['dropped-newest 5', 'dropped-newest 6']],
  ] as const) {
    const { overflow } = definition.options.mailbox;
    it(`of four that ${overflow}: six tells keep four in order, and two are dead letters`, async () => {
      const ref = await system.spawn(definition);
      const closed = await system.spawn(gate);
      const waited = ref.ask('waitAt', closed, { timeout: '60s' });
      // What it handles doesn't count.
      await eventually(async () => (await closed.ask('knocks')) > 0);
      for (let n = 1; n <= 6; n += 1) ref.tell('item', n);
      // All six have arrived.
      await eventually(() => lettersOf(ref).length === 2);
      await closed.ask('open');
      await waited;
      await system.settled();
      expect(await ref.ask('seen')).to.deep.equal(kept);
      expect(lettersOf(ref)).to.deep.equal(lost);
    });
  }

  it('that are full let senders of every thread wait, each in its order, and lose nothing', async () => {
    const ref = await system.spawn(strait);
    const senders = await Promise.all(Array.from({ length: 4 }, () => system.spawn(strait)));
    const all = senders.map((sender, i) =>
      sender.ask('sendAll', { to: ref, from: (i + 1) * 100, count: 20 }, { timeout: '30s' }),
    );
    const own = Array.from({ length: 20 }, (_, n) => ref.send('item', n, { timeout: '30s' }));
    await Promise.all([...all, ...own]);
    await system.settled();
    const seen = await ref.ask('seen');
    expect(seen).to.have.length(100);
    for (let from = 0; from < 500; from += 100) {
      expect(seen.filter((n) => n >= from && n < from + 100)).to.deep.equal(
        Array.from({ length: 20 }, (_, n) => from + n),
      );
    }
    expect(lettersOf(ref)).to.deep.equal([]);
  });

  it('a dead letter of an actor is delivered when it is retried, and gone when it is discarded', async () => {
    const ref = await system.spawn(strait);
    await ref.stop();
    for (const n of [1, 2]) ref.tell('item', n);
    await system.settled();
    expect(lettersOf(ref)).to.deep.equal(['stopped 1', 'stopped 2']);
    const [first, second] = system.deadLetters.list().filter(({ target }) => target.id === ref.id);
    await system.spawn(strait, { id: ref.id });
    await system.deadLetters.retry(first?.id ?? '');
    await system.deadLetters.discard(second?.id ?? '');
    await system.settled();
    expect(await ref.ask('seen')).to.deep.equal([1]);
    expect(lettersOf(ref)).to.deep.equal([]);
  });
});
