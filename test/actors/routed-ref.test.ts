/** References: what a sender can see, and what asks and sends come to when nobody answers in time. */
import { expect } from 'chai';
import { AggregateHarness, codeOf, errorOf, stateOf } from './aggregate-harness.js';
import { ledger, Script } from './ledger.js';

describe('RoutedRef', () => {
  it('refuses options that are no use, at once, from tell, send and ask', async () => {
    const bad: readonly object[] = [
      { id: '' },
      { id: 7 },
      { id: null },
      { correlationId: 7 },
      { correlationId: '' },
      { metadata: 'text' },
      { metadata: null },
      { metadata: [] },
      { metadata: { at: new Date(0) } },
      { metadata: () => 1 },
      { priority: Number.NaN },
      { priority: 'high' },
    ];
    const harness = new AggregateHarness(ledger());
    const ref = harness.loose('a');
    const refusal = /TROUPE_(INVALID_OPTIONS|NOT_SERIALIZABLE)/;
    for (const options of bad) {
      const shown = JSON.stringify(options);
      expect(await codeOf(ref.ask('add', { n: 1 }, options)), shown).to.match(refusal);
      expect(await codeOf(ref.send('add', { n: 1 }, options)), shown).to.match(refusal);
      expect(await codeOf((async () => ref.tell('add', { n: 1 }, options))()), shown).to.match(refusal);
    }
    for (const timeout of ['soon', -1, Number.NaN, {}]) {
      expect(await codeOf(ref.ask('add', { n: 1 }, { timeout: timeout as number }))).to.equal('TROUPE_INVALID_OPTIONS');
    }
    await harness.settled();
    expect([harness.host.unfinished, harness.host.size]).to.deep.equal([0, 0]);
  });

  it('refuses options that are no object, from tell, send and ask', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.loose('a');
    for (const [given, shown] of [
      [5, '5'],
      [null, 'null'],
      ['soon', "'soon'"],
      [true, 'true'],
      [[], 'an array of 0'],
      [() => 1, 'a function'],
    ] as const) {
      // Wrong on purpose: as JavaScript would call.
      const options = given as object;
      const asked = await errorOf(ref.ask('add', { n: 1 }, options));
      expect(asked.code).to.equal('TROUPE_INVALID_OPTIONS');
      expect(asked.message).to.equal(`ledger/a: the options are ${shown}; give an object`);
      expect(await codeOf(ref.send('add', { n: 1 }, options)), shown).to.equal('TROUPE_INVALID_OPTIONS');
      expect(await codeOf((async () => ref.tell('add', { n: 1 }, options))()), shown).to.equal(
        'TROUPE_INVALID_OPTIONS',
      );
    }
    await harness.settled();
    expect([harness.host.unfinished, harness.host.size]).to.deep.equal([0, 0]);
  });

  it('keeps metadata as it was when the message was sent, and as JSON', async () => {
    const harness = new AggregateHarness(ledger());
    const metadata: Record<string, unknown> = { by: 'me', nothing: undefined };
    const asked = harness.ref('a').ask('add', { n: 1 }, { metadata });
    metadata['by'] = 'somebody else';
    await asked;
    const [event] = await harness.memory.readStream('ledger', 'a', 0, 1);
    expect(event?.metadata).to.deep.equal({ by: 'me' });
  });

  it('refuses tell and send of a query', async () => {
    const ref = new AggregateHarness(ledger()).loose('a');
    expect(() => ref.tell('sum')).to.throw(/only makes sense with ask/);
    expect(await codeOf(ref.send('sum'))).to.equal('TROUPE_UNKNOWN_MESSAGE');
  });

  it('ends an ask after its timeout, neither before nor twice, and a late reply is nobody’s', async () => {
    const script = new Script();
    const harness = new AggregateHarness(ledger(script));
    let finish: () => void = () => undefined;
    script.onHandle = () => new Promise<void>((resolve) => (finish = resolve));
    const asked = harness.ref('a').ask('addLater', { n: 1 }, { timeout: '2s' });
    const failed = errorOf(asked);
    await harness.clock.advance(1_999);
    expect(await stateOf(asked)).to.equal('pending');
    await harness.clock.advance(1);
    const error = await failed;
    expect(error.code).to.equal('TROUPE_ASK_TIMEOUT');
    expect(error.message).to.contain('ledger/a').and.contain('2000 ms');
    // Plain actors don't know repeats.
    expect(error.message).to.contain('the same command id once, a plain actor twice');
    finish();
    await harness.settled();
    expect(await harness.ref('a').ask('sum')).to.equal(1);
    expect(harness.letters).to.deep.equal([]);
  });

  it('resolves a send when the message is taken; what goes wrong later is a dead letter', async () => {
    const harness = new AggregateHarness(ledger());
    await harness.ref('a').send('throw', null);
    await harness.settled();
    expect(harness.dropped).to.deep.equal(['failed throw']);
    expect(harness.letters[0]?.error?.cause).to.equal('RangeError: thrown');
  });

  it('is equal to every reference to the same instance, and to no other', () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    expect([ref.equals(harness.ref('a')), ref.equals(harness.ref('b'))]).to.deep.equal([true, false]);
    for (const none of [null, undefined, 'a', {}]) expect(ref.equals(none as never)).to.equal(false);
  });
});
