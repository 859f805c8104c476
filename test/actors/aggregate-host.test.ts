/** Mailboxes of aggregates from outside: order, overflow, waiting sends, what is bounded, and ids of all kinds. */
import { expect } from 'chai';
import { asyncProperty, array, assert, constantFrom, string } from 'fast-check';
import { isGivenText } from '../../src/core/given-text.js';
import { AggregateHarness, codeOf, errorOf, stateOf } from './aggregate-harness.js';
import { ledger, Script } from './ledger.js';

const FULL = 'TROUPE_MAILBOX_FULL';

/** A ledger whose first asynchronous command is under way, so that everything else waits. */
async function occupied(options: Parameters<typeof ledger>[1]) {
  const script = new Script();
  const harness = new AggregateHarness(ledger(script, options));
  let finish: () => void = () => undefined;
  script.onHandle = (input) =>
    (input as { n: number }).n === 0 ? new Promise<void>((resolve) => (finish = resolve)) : undefined;
  harness.ref('a').tell('addLater', { n: 0 });
  await harness.settled();
  return { harness, script, ref: harness.ref('a'), finish: () => finish() };
}

describe('aggregate, full mailbox', () => {
  it('refuses the 4th message when capacity is 3, and the one being handled does not count', async () => {
    const { harness, ref, finish } = await occupied({ capacity: 3 });
    const taken = [1, 2, 3].map((n) => ref.ask('add', { n }));
    const error = await errorOf(ref.ask('add', { n: 4 }));
    expect(error.code).to.equal(FULL);
    expect(error.message).to.contain('ledger/a').and.contain('3 messages');
    ref.tell('add', { n: 5 });
    expect(harness.dropped).to.deep.equal(['mailbox-full add']);
    finish();
    expect(await Promise.all(taken)).to.deep.equal([1, 3, 6]);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('lets sends wait, counts as full while one waits, and takes them up in order', async () => {
    const { harness, script, ref, finish } = await occupied({ capacity: 1 });
    await ref.send('add', { n: 1 });
    const sends = [2, 3].map((n) => ref.send('add', { n }));
    expect(await codeOf(ref.ask('add', { n: 9 }))).to.equal(FULL);
    expect(await Promise.all(sends.map(stateOf))).to.deep.equal(['pending', 'pending']);
    finish();
    await Promise.all(sends);
    await harness.settled();
    expect(script.handled).to.deep.equal([0, 1, 2, 3]);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('ends the wait of a send after its timeout, takes it out, and keeps the others in order', async () => {
    const { harness, script, ref, finish } = await occupied({ capacity: 1 });
    await ref.send('add', { n: 1 });
    const patient = [2, 3].map((n) => ref.send('add', { n }, { timeout: '10s' }));
    const hasty = [4, 5].map((n) => errorOf(ref.send('add', { n }, { timeout: '1s' })));
    const last = ref.send('add', { n: 6 }, { timeout: '10s' });
    await harness.clock.advance(1_000);
    for (const error of await Promise.all(hasty)) {
      expect(error.code).to.equal(FULL);
      expect(error.message).to.contain('1000 ms');
    }
    finish();
    await Promise.all([...patient, last]);
    await harness.settled();
    expect(script.handled).to.deep.equal([0, 1, 2, 3, 6]);
    expect(harness.host.unfinished).to.equal(0);
    expect(harness.dropped).to.deep.equal([]);
  });

  it('drops the oldest, tells its sender or makes it a dead letter with that reason', async () => {
    const { harness, script, ref, finish } = await occupied({ capacity: 3, overflow: 'drop-oldest' });
    const asked = codeOf(ref.ask('add', { n: 1 }));
    for (const n of [2, 3, 4, 5, 6]) ref.tell('add', { n });
    expect(await asked).to.equal(FULL);
    expect(harness.dropped).to.deep.equal(['dropped-oldest add', 'dropped-oldest add']);
    finish();
    await harness.settled();
    expect(script.handled).to.deep.equal([0, 4, 5, 6]);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('never drops a send that was taken: in front of it drop-oldest refuses the newcomer', async () => {
    const { harness, script, ref, finish } = await occupied({ capacity: 2, overflow: 'drop-oldest' });
    await ref.send('add', { n: 1 });
    ref.tell('add', { n: 2 });
    ref.tell('add', { n: 3 });
    expect(harness.dropped).to.deep.equal(['mailbox-full add']);
    finish();
    await harness.settled();
    expect(script.handled).to.deep.equal([0, 1, 2]);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('drops the newest, tells its sender or makes it a dead letter with that reason', async () => {
    const { harness, script, ref, finish } = await occupied({ capacity: 1, overflow: 'drop-newest' });
    ref.tell('add', { n: 1 });
    expect(await codeOf(ref.ask('add', { n: 2 }))).to.equal(FULL);
    ref.tell('add', { n: 3 });
    expect(harness.dropped).to.deep.equal(['dropped-newest add']);
    finish();
    await harness.settled();
    expect(script.handled).to.deep.equal([0, 1]);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('holds up no other mailbox', async () => {
    const { harness, ref } = await occupied({ capacity: 1 });
    await ref.send('add', { n: 1 });
    void ref.send('add', { n: 2 }).catch(() => undefined);
    expect(await harness.ref('b').ask('add', { n: 5 })).to.equal(5);
  });

  it('bounds the answers that wait for a commit, so that a flood of queries fills the mailbox and not the heap', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { capacity: 100 }));
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    ref.tell('add', { n: 1 });
    const asks: Promise<string>[] = [];
    for (let round = 0; round < 200; round += 1) {
      for (let i = 0; i < 100; i += 1) asks.push(codeOf(ref.ask('sum')));
      await harness.clock.advance(0);
    }
    expect(harness.host.unfinished).to.be.at.most(1_200);
    harness.release();
    const codes = await Promise.all(asks);
    expect(codes.filter((code) => code === 'resolved').length).to.be.at.least(1_000);
    expect(new Set(codes)).to.deep.equal(new Set(['resolved', FULL]));
    expect(harness.host.unfinished).to.equal(0);
  });

  it('bounds repeats that join a command in flight as well', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { capacity: 100 }));
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const asks: Promise<string>[] = [];
    for (let round = 0; round < 100; round += 1) {
      for (let i = 0; i < 100; i += 1) asks.push(codeOf(ref.ask('add', { n: 1 }, { id: 'x' })));
      await harness.clock.advance(0);
    }
    expect(harness.host.unfinished).to.be.at.most(1_200);
    harness.release();
    await Promise.all(asks);
    expect(await ref.ask('sum')).to.equal(1);
  });

  it('decides at most 1,000 commands on events that are not durable, and all of them in the end', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const asks = Array.from({ length: 3_000 }, () => ref.ask('add', { n: 1 }));
    await harness.settled();
    expect(harness.held).to.equal(1_000);
    harness.release();
    expect(await Promise.all(asks)).to.deep.equal(asks.map((_, i) => i + 1));
  });
});

describe('aggregate, order', () => {
  it('handles what one sender sent in the order sent, whatever the mix of tell, send, ask and of commands', async () => {
    const how = constantFrom('tell', 'send', 'ask', 'waitForSend', 'turn');
    const type = constantFrom('add', 'addLater');
    await assert(
      asyncProperty(
        array(how, { maxLength: 60 }),
        array(type, { minLength: 1, maxLength: 7 }),
        async (steps, types) => {
          const script = new Script();
          script.onHandle = () => undefined;
          const harness = new AggregateHarness(ledger(script, { capacity: 8 }));
          const ref = harness.loose('a');
          const expected: number[] = [];
          const refused = new Set<number>();
          let n = 0;
          for (const step of steps) {
            n += 1;
            const sent = n;
            const chosen = types[n % types.length] ?? 'add';
            if (step === 'turn') {
              await harness.clock.advance(0);
              continue;
            }
            expected.push(sent);
            if (step === 'tell') {
              const before = harness.letters.length;
              ref.tell(chosen, { n: sent });
              if (harness.letters.length > before) refused.add(sent);
            } else if (step === 'ask') {
              void ref.ask(chosen, { n: sent }).catch(() => refused.add(sent));
            } else {
              const taken = ref.send(chosen, { n: sent }).catch(() => refused.add(sent));
              if (step === 'waitForSend') {
                await Promise.race([taken, harness.settled()]);
              }
            }
          }
          await harness.settled();
          expect(script.handled).to.deep.equal(expected.filter((one) => !refused.has(one)));
          expect(harness.host.unfinished).to.equal(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('aggregate, ids', () => {
  const NASTY = [
    '__proto__',
    'constructor',
    'a/b@1>x#2',
    'a/b@1',
    '%2f',
    ' ',
    '\u0000',
    '"',
    '\\',
    '💥',
    '\ufffd',
    'é',
  ];

  const anyId = string({ minLength: 1, unit: 'binary' }).filter(isGivenText);

  it('keeps instances apart, whatever their ids look like', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 100 }));
    for (const [n, id] of NASTY.entries()) await harness.ref(id).ask('add', { n: n + 1 }, { id });
    await harness.clock.advance(1_000);
    expect(harness.host.size).to.equal(0);
    for (const [n, id] of NASTY.entries()) {
      expect(await harness.ref(id).ask('sum')).to.equal(n + 1);
      expect(await harness.ref(id).ask('add', { n: n + 1 }, { id })).to.equal(n + 1);
      expect(await harness.eventsOf(id)).to.have.length(1);
    }
  });

  it('keeps commands apart, whatever their ids look like', async () => {
    await assert(
      asyncProperty(array(anyId, { maxLength: 12 }), async (ids) => {
        const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 100 }));
        for (const id of [...ids, ...NASTY]) await harness.ref('a').ask('add', { n: 1 }, { id });
        await harness.clock.advance(1_000);
        for (const id of [...ids, ...NASTY]) await harness.ref('a').ask('add', { n: 1 }, { id });
        expect(await harness.ref('a').ask('sum')).to.equal(new Set([...ids, ...NASTY]).size);
      }),
      { numRuns: 30 },
    );
  });

  it('carries huge payloads: 5 MB in one event, and back', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 100 }));
    const pad = 'x'.repeat(5_000_000);
    await Promise.all([1, 2, 3].map((n) => harness.ref('a').ask('add', { n, pad })));
    await harness.clock.advance(1_000);
    expect(await harness.ref('a').ask('sum')).to.equal(6);
  });
});

describe('aggregate, repeats', () => {
  it('gives a repeat the first outcome with the same receipt, at once and when the instance has left memory', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 100 }));
    const ref = harness.ref('a');
    await ref.ask('add', { n: 1 });
    const receipts = async () => [
      await ref.ask('add', { n: 5 }, { id: 'x', receipt: true }),
      await ref.ask('look', undefined, { id: 'y', receipt: true }),
    ];
    const first = await receipts();
    await ref.ask('add', { n: 100 });
    expect(await receipts()).to.deep.equal(first);
    await harness.clock.advance(1_000);
    expect(harness.host.size).to.equal(0);
    const again = await receipts();
    expect(again[0]).to.deep.equal(first[0]);
    expect(again[1]).to.include({ reply: 6, version: 2 });
  });

  it('forgets no command under way, however many there are', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const ids = Array.from({ length: 500 }, (_, i) => `id-${i}`);
    const first = ids.map((id) => ref.ask('add', { n: 1 }, { id }));
    await harness.settled();
    const repeats = ids.map((id) => ref.ask('add', { n: 1 }, { id }));
    await harness.settled();
    expect(harness.held).to.equal(500);
    harness.release();
    expect(await Promise.all(repeats)).to.deep.equal(await Promise.all(first));
    expect(await Promise.all(ids.map((id) => ref.ask('add', { n: 1 }, { id })))).to.deep.equal(
      await Promise.all(first),
    );
    expect(await ref.ask('sum')).to.equal(500);
  });

  it('fails the one message whose id could not be looked up, and answers its next repeat', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 100 }));
    const ref = harness.ref('a');
    for (const id of ['x', 'y']) await ref.ask('add', { n: 1 }, { id });
    await harness.clock.advance(1_000);
    const { memory } = harness;
    const find = memory.findOutcome.bind(memory);
    memory.findOutcome = (name, aggregateId, id, near) =>
      id === 'x' ? Promise.reject(new Error('the disk is gone')) : find(name, aggregateId, id, near);
    const broken = errorOf(ref.ask('add', { n: 1 }, { id: 'x' }));
    const behind = ref.ask('add', { n: 1 }, { id: 'y' });
    expect((await broken).code).to.equal('TROUPE_ACTOR_FAILED');
    expect(await behind).to.equal(2);
    memory.findOutcome = find;
    expect(await ref.ask('add', { n: 1 }, { id: 'x' })).to.equal(1);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('gives 100 repeats in a row, with new commands among them, their first outcomes after a passivation', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 100 }));
    const ref = harness.ref('a');
    const ids = Array.from({ length: 100 }, (_, i) => `id-${i}`);
    const first = await Promise.all(ids.map((id) => ref.ask('add', { n: 1 }, { id, receipt: true })));
    await harness.clock.advance(1_000);
    expect(harness.host.size).to.equal(0);
    const again = ids.flatMap((id, i) => {
      const repeat = ref.ask('add', { n: 1 }, { id, receipt: true });
      if (i % 7 === 3) ref.tell('add', { n: 1 }, { id: `new-${i}` });
      if (i % 11 === 5) ref.tell('add', { n: 1 });
      return i % 3 === 0 ? [repeat, ref.ask('add', { n: 1 }, { id, receipt: true })] : [repeat];
    });
    const expected = first.flatMap((receipt, i) => (i % 3 === 0 ? [receipt, receipt] : [receipt]));
    expect(await Promise.all(again)).to.deep.equal(expected);
    expect(await ref.ask('sum')).to.equal(100 + 14 + 9);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('remembers the last 3 outcomes without events when told so, and those with events for ever', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 100 }), { outcomes: 3 });
    const ref = harness.ref('a');
    for (let i = 0; i < 10; i += 1) await ref.ask('look', undefined, { id: `look-${i}` });
    for (let i = 0; i < 10; i += 1) await ref.ask('add', { n: 1 }, { id: `add-${i}` });
    await harness.clock.advance(1_000);
    const looks: unknown[] = [];
    for (let i = 9; i >= 0; i -= 1) looks.push(await ref.ask('look', undefined, { id: `look-${i}` }));
    expect(looks).to.deep.equal([0, 0, 0, 10, 10, 10, 10, 10, 10, 10]);
    for (let i = 0; i < 10; i += 1) expect(await ref.ask('add', { n: 1 }, { id: `add-${i}` })).to.equal(i + 1);
  });

  it('refuses an id that comes with another type or payload, in flight and later, and does nothing', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('look');
    harness.hold();
    const first = ref.ask('add', { n: 1 }, { id: 'x' });
    const other = [codeOf(ref.ask('add', { n: 2 }, { id: 'x' })), codeOf(ref.ask('look', undefined, { id: 'x' }))];
    await harness.settled();
    harness.release();
    expect(await first).to.equal(1);
    expect(await Promise.all(other)).to.deep.equal(['TROUPE_COMMAND_ID_REUSED', 'TROUPE_COMMAND_ID_REUSED']);
    ref.tell('add', { n: 3 }, { id: 'x' });
    await harness.settled();
    expect(harness.dropped).to.deep.equal(['failed add']);
    expect(await ref.ask('sum')).to.equal(1);
  });
});
