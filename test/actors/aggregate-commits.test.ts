/** Promise 2, durable before visible: what a failing commit does to everything decided on top of it. */
import { expect } from 'chai';
import { asyncProperty, assert, constantFrom, integer, array, record } from 'fast-check';
import { AggregateHarness, codeOf, errorOf, type Moment, stateOf } from './aggregate-harness.js';
import { ledger, Script } from './ledger.js';

const FAILED = 'TROUPE_JOURNAL_WRITE_FAILED';

describe('aggregate, failing commits', () => {
  it('fails everything decided on top of a failed commit, and nothing sent behind it', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('add', { n: 1 });
    harness.hold();
    const doomed = [2, 3, 4].map((n) => ref.ask('add', { n }));
    await harness.settled();
    expect(harness.held).to.equal(3);
    harness.failNext();
    harness.release();
    expect(await Promise.all(doomed.map(codeOf))).to.deep.equal([FAILED, FAILED, FAILED]);
    expect(await ref.ask('add', { n: 10 })).to.equal(11);
    expect(await harness.eventsOf('a')).to.deep.equal(['1 ledger.added {"n":1}', '2 ledger.added {"n":10}']);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('shows no reply, rejection, failure or answer before the commit it rests on', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const resting = [
      ref.ask('add', { n: 5 }),
      ref.ask('refuse', null),
      ref.ask('throw', null),
      ref.ask('sum'),
      ref.ask('look'),
      ref.ask('look', undefined, { id: 'with-id' }),
      ref.ask('refuse', null, { id: 'with-id-too' }),
    ];
    await harness.settled();
    expect(await Promise.all(resting.map(stateOf))).to.deep.equal(resting.map(() => 'pending'));
    harness.release();
    expect(await Promise.all(resting.map(codeOf))).to.deep.equal([
      'resolved',
      'TROUPE_REJECTED:refused',
      'TROUPE_ACTOR_FAILED',
      'resolved',
      'resolved',
      'resolved',
      'TROUPE_REJECTED:refused',
    ]);
    expect(await resting[3]).to.equal(5);
  });

  it('fails a query, a refusal and a throw that rest on a failing commit with the error of the commit', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const resting = [ref.ask('add', { n: 5 }), ref.ask('sum'), ref.ask('refuse', null), ref.ask('throw', null)];
    await harness.settled();
    harness.failNext();
    harness.release();
    expect(await Promise.all(resting.map(codeOf))).to.deep.equal([FAILED, FAILED, FAILED, FAILED]);
    expect(await ref.ask('sum')).to.equal(0);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('gives a receipt with the version that the answer saw, whatever is decided meanwhile', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('add', { n: 1 });
    harness.hold();
    const first = ref.ask('add', { n: 1 }, { receipt: true });
    const query = ref.ask('sum', undefined, { receipt: true });
    const empty = ref.ask('look', undefined, { receipt: true });
    const last = ref.ask('twice', { n: 1 }, { receipt: true });
    await harness.settled();
    harness.release();
    expect((await first).version).to.equal(2);
    expect(await query).to.include({ reply: 2, version: 2 });
    expect(await empty).to.include({ reply: 2, version: 2 });
    expect((await last).version).to.equal(4);
  });

  it('lets a dead letter be told of nothing that is not durable, and of each failure once', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    ref.tell('add', { n: 5 });
    ref.tell('refuse', null);
    ref.tell('throw', null);
    await harness.settled();
    expect(harness.dropped).to.deep.equal([]);
    harness.failNext();
    harness.release();
    await harness.settled();
    expect(harness.dropped.sort()).to.deep.equal(['failed add', 'failed refuse', 'failed throw']);
    expect(new Set(harness.letters.map((letter) => letter.error?.code))).to.deep.equal(new Set([FAILED]));
  });

  it('answers repeats that joined an entry with its failure, and decides the next repeat anew', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const joined = Array.from({ length: 3 }, () => ref.ask('add', { n: 5 }, { id: 'x' }));
    await harness.settled();
    expect(harness.held).to.equal(1);
    harness.failNext();
    harness.release();
    expect(await Promise.all(joined.map(codeOf))).to.deep.equal([FAILED, FAILED, FAILED]);
    expect(await ref.ask('add', { n: 5 }, { id: 'x' })).to.equal(5);
    expect(await ref.ask('add', { n: 5 }, { id: 'x' })).to.equal(5);
    expect(await harness.eventsOf('a')).to.have.length(1);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('makes a dead letter of a told repeat that joined an entry which then fails', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const first = ref.ask('add', { n: 5 }, { id: 'x' });
    ref.tell('add', { n: 5 }, { id: 'x' });
    await ref.send('add', { n: 5 }, { id: 'x' });
    await harness.settled();
    harness.failNext();
    harness.release();
    expect(await codeOf(first)).to.equal(FAILED);
    expect(harness.dropped).to.deep.equal(['failed add', 'failed add']);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('makes a dead letter of a told repeat of a command that is refused, in flight as well as later', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const first = ref.ask('refuse', null, { id: 'x' });
    ref.tell('refuse', null, { id: 'x' });
    await harness.settled();
    harness.release();
    expect(await codeOf(first)).to.equal('TROUPE_REJECTED:refused');
    ref.tell('refuse', null, { id: 'x' });
    await harness.settled();
    expect(harness.dropped).to.deep.equal(['rejected refuse', 'rejected refuse']);
  });

  it('finds what landed although the commit was reported as failed, and does it once', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('add', { n: 1 });
    harness.failNext(1, 'after');
    expect(await ref.ask('add', { n: 2 }, { id: 'x' })).to.equal(3);
    expect(await ref.ask('add', { n: 2 }, { id: 'x' })).to.equal(3);
    expect(await ref.ask('sum')).to.equal(3);
  });

  it('answers a repeat from the journal when the first was not acknowledged but had landed', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('add', { n: 1 });
    harness.fault = (_commit, moment) => (moment === 'before' ? undefined : new Error('the disk is gone'));
    expect(await codeOf(ref.ask('add', { n: 2 }, { id: 'x' }))).to.equal(FAILED);
    harness.fault = undefined;
    expect(await ref.ask('add', { n: 2 }, { id: 'x', receipt: true })).to.deep.equal({
      reply: 3,
      position: 2,
      version: 2,
    });
    expect(await harness.eventsOf('a')).to.have.length(2);
  });

  it('goes on when commits fail again and again, and with everything in order when they stop', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    harness.failNext(10);
    for (let n = 0; n < 10; n += 1) expect(await codeOf(ref.ask('add', { n }))).to.equal(FAILED);
    expect(await ref.ask('add', { n: 7 })).to.equal(7);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('leaves other aggregates of the same commit to their own fate: they fail and recover too', async () => {
    const harness = new AggregateHarness(ledger());
    const ids = ['a', 'b', 'c'];
    await Promise.all(ids.map((id) => harness.ref(id).ask('add', { n: 1 })));
    harness.failNext();
    const codes = await Promise.all(ids.map((id) => codeOf(harness.ref(id).ask('add', { n: 1 }))));
    expect(codes).to.deep.equal([FAILED, FAILED, FAILED]);
    expect(await Promise.all(ids.map((id) => harness.ref(id).ask('add', { n: 1 })))).to.deep.equal([2, 2, 2]);
  });

  describe('with asynchronous handlers', () => {
    it('voids the decision of a handler that was running when the commit failed', async () => {
      const script = new Script();
      const harness = new AggregateHarness(ledger(script));
      const ref = harness.ref('a');
      await ref.ask('look');
      let finish: () => void = () => undefined;
      script.onHandle = (input) =>
        (input as { n: number }).n === 2 ? new Promise<void>((resolve) => (finish = resolve)) : undefined;
      harness.hold();
      const below = codeOf(ref.ask('add', { n: 1 }));
      const above = codeOf(ref.ask('addLater', { n: 2 }));
      const behind = ref.ask('add', { n: 3 });
      await harness.settled();
      expect(script.handled).to.deep.equal([1, 2]);
      harness.failNext();
      harness.release();
      expect(await below).to.equal(FAILED);
      expect(await above).to.equal(FAILED);
      await harness.settled();
      expect(script.handled).to.deep.equal([1, 2]);
      finish();
      expect(await behind).to.equal(3);
      expect(harness.host.unfinished).to.equal(0);
    });

    it('starts no second handler while a void one is still running', async () => {
      const script = new Script();
      const harness = new AggregateHarness(ledger(script));
      const ref = harness.ref('a');
      await ref.ask('look');
      const finish: (() => void)[] = [];
      script.onHandle = (input) =>
        (input as { n: number }).n === 1 ? undefined : new Promise<void>((resolve) => finish.push(resolve));
      harness.hold();
      const all = [ref.ask('add', { n: 1 }), ref.ask('addLater', { n: 2 }), ref.ask('addLater', { n: 3 })].map(codeOf);
      await harness.settled();
      harness.failNext();
      harness.release();
      await harness.settled();
      expect(finish).to.have.length(1);
      finish[0]?.();
      await harness.settled();
      finish[1]?.();
      expect(await Promise.all(all)).to.deep.equal([FAILED, FAILED, 'resolved']);
      expect(script.mostRunning).to.equal(1);
    });

    it('keeps the order of messages behind a lookup of a repeat that a failing commit interrupts', async () => {
      const harness = new AggregateHarness(ledger());
      const ref = harness.ref('a');
      await ref.ask('add', { n: 1 }, { id: 'x' });
      await harness.clock.advance(120_000);
      expect(harness.host.size).to.equal(0);
      await ref.ask('sum');
      harness.hold();
      const below = codeOf(ref.ask('add', { n: 2 }));
      const repeat = codeOf(ref.ask('add', { n: 1 }, { id: 'x' }));
      const behind = codeOf(ref.ask('add', { n: 4 }));
      await Promise.resolve();
      harness.failNext();
      harness.release();
      await harness.settled();
      expect(await below).to.equal(FAILED);
      expect(['resolved', FAILED]).to.include(await repeat);
      await behind;
      expect(harness.host.unfinished).to.equal(0);
      const state = (await ref.ask('whole')) as { count: number };
      expect(await harness.eventsOf('a')).to.have.length(state.count);
    });
  });

  it('loses no message and answers none twice, whichever commits fail: what is acknowledged is in the journal', async () => {
    const message = record({
      type: constantFrom('add', 'addLater', 'twice', 'refuse', 'look', 'sum', 'throw', 'break'),
      n: integer({ min: 1, max: 9 }),
      id: constantFrom(undefined, 'x', 'y'),
      how: constantFrom('ask', 'tell', 'send', 'turn'),
    });
    const fault = constantFrom<Moment | undefined>('before', 'after', 'head', undefined, undefined);
    await assert(
      asyncProperty(array(message, { maxLength: 40 }), array(fault, { maxLength: 30 }), async (messages, faults) => {
        const harness = new AggregateHarness(ledger(new Script(), { snapshotEvery: 3 }));
        harness.fault = (commit, moment) => {
          // A commit whose head can't be read either has failed after it was written.
          const fails = faults[commit] === 'head' ? moment !== 'before' : faults[commit] === moment;
          return fails ? new Error('injected') : undefined;
        };
        const ref = harness.loose('a');
        const answers: Promise<number>[] = [];
        const acknowledged = new Set<string>();
        for (const { type, n, id, how } of messages) {
          // An id stands for one content, else it is refused.
          const options = id === undefined ? {} : { id: `${id} ${type} ${n}` };
          const added = type === 'twice' ? 2 * n : type === 'add' || type === 'addLater' ? n : 0;
          if (how === 'turn') await harness.clock.advance(0);
          else if (how === 'tell' && type !== 'sum') ref.tell(type, { n }, options);
          else if (how === 'send' && type !== 'sum') await ref.send(type, { n }, options);
          else {
            const counted = (): number => {
              if (options.id === undefined) return added;
              const first = !acknowledged.has(options.id);
              acknowledged.add(options.id);
              return first ? added : 0;
            };
            answers.push(ref.ask(type, { n }, options).then(counted, () => 0));
          }
        }
        await harness.settled();
        harness.fault = undefined;
        await harness.clock.advance(10_000);
        const sums = await Promise.all(answers);
        expect(harness.host.unfinished).to.equal(0);
        const events = await harness.eventsOf('a');
        expect(events.map((text) => Number(text.split(' ')[0]))).to.deep.equal(events.map((_, i) => i + 1));
        const sum = events.reduce((total, text) => total + Number(/"n":(\d+)/.exec(text)?.[1]), 0);
        expect(await ref.ask('whole')).to.deep.equal({ sum, count: events.length });
        expect(sum).to.be.at.least(sums.reduce((total, one) => total + one, 0));
      }),
      { numRuns: 300 },
    );
  });

  it('has an error that names the aggregate and says what to do', async () => {
    const harness = new AggregateHarness(ledger());
    await harness.ref('a').ask('look');
    harness.failNext();
    const error = await errorOf(harness.ref('a').ask('add', { n: 1 }));
    expect(error.message).to.contain('ledger/a').and.contain('retry with the same command id');
  });
});
