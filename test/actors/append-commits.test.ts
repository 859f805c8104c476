/** Appends that come again while the first is on its way to the disk, and while that way is broken. */
import { expect } from 'chai';
import { array, assert, asyncProperty, constantFrom, nat } from 'fast-check';
import { AggregateHarness, codeOf, type Moment, stateOf } from './aggregate-harness.js';
import { ledger } from './ledger.js';

const FAILED = 'TROUPE_JOURNAL_WRITE_FAILED';

function added(id: string) {
  return { type: 'ledger.added', data: { n: 1 }, id };
}

describe('append by event id, failing commits', () => {
  it('shows a repeat nothing before the first is durable, and fails it with the first', async () => {
    const harness = new AggregateHarness(ledger());
    await harness.ref('a').ask('look');
    harness.hold();
    const first = harness.append('a', [added('x')]);
    await harness.settled();
    const again = harness.append('a', [added('x')]);
    await harness.settled();
    expect([await stateOf(first), await stateOf(again)]).to.deep.equal(['pending', 'pending']);
    harness.failNext();
    harness.release();
    expect([await codeOf(first), await codeOf(again)]).to.deep.equal([FAILED, FAILED]);
    expect(await harness.append('a', [added('x')])).to.include({ version: 1 });
    expect(await harness.append('a', [added('x')])).to.include({ version: 1 });
    expect(await harness.eventsOf('a')).to.have.length(1);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('stores each event once, whichever commits fail and whether what failed has landed, when all is sent until it is told', async () => {
    const fault = constantFrom<Moment | undefined>('before', 'after', 'head', undefined, undefined);
    await assert(
      asyncProperty(
        array(nat(4), { minLength: 1, maxLength: 25 }),
        array(fault, { maxLength: 20 }),
        async (ids, faults) => {
          const harness = new AggregateHarness(ledger());
          harness.fault = (commit, moment) => {
            const fails = faults[commit] === 'head' ? moment !== 'before' : faults[commit] === moment;
            return fails ? new Error(`commit ${commit}, ${moment}`) : undefined;
          };
          const send = async (id: number): Promise<void> => {
            for (let tries = 0; tries < 100; tries += 1) {
              const code = await codeOf(harness.append('a', [added(`${id}`)]));
              if (code === 'resolved') return;
              expect(code).to.equal(FAILED);
              await new Promise<void>((resolve) => void harness.clock.setTimer(200, resolve));
            }
            expect.fail('it never gets through');
          };
          const all = Promise.all(ids.map(send));
          // A head that can't be read keeps everything waiting; some day the disk is well again.
          for (let round = 0; (await stateOf(all)) === 'pending'; round += 1) {
            if (round === 20) harness.fault = undefined;
            await harness.clock.advance(100);
          }
          await all;
          const stored: string[] = [];
          for (const event of await harness.memory.readStream('ledger', 'a', 0, 1_000)) stored.push(event.id);
          expect(stored.toSorted()).to.deep.equal([...new Set(ids)].map(String).toSorted());
        },
      ),
      { numRuns: 60 },
    );
  });
});
