/** Laws of a supervisor as its children see it: by signals alone, which may be late when a child is elsewhere. */
import { expect } from 'chai';
import { ActorFamily } from '../../src/actors/actor-family.js';
import { keyOf } from '../../src/actors/signal.js';
import { readSupervision, SUPERVISION_KEYS, type SupervisionOptions } from '../../src/actors/supervision-options.js';
import { OptionReader } from '../../src/core/option-reader.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';

function family(options: SupervisionOptions = {}) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const escalated: unknown[] = [];
  const silent = (): void => undefined;
  let ordinal = 0;
  const children = new ActorFamily(
    {
      clock,
      facts: { tell: silent },
      signals: {
        signal: (to, signal) => void sent.push(`${signal.kind} ${to === undefined ? 'guardian' : keyOf(to)}`),
      },
      random: () => 0,
      newOrdinal: () => (ordinal += 1),
    },
    readSupervision(new OptionReader('family', options, SUPERVISION_KEYS)),
    (error) => escalated.push(error),
  );
  const fail = (child: number, life: number, error: unknown = 'x'): void =>
    children.take({ kind: 'child-failed', child, life, error, resumable: true });
  const ended = (child: number): void => children.take({ kind: 'child-ended', child });
  const add = (id: string): number => children.add({ name: 'kid', id });
  return { clock, sent, escalated, children, fail, ended, add };
}

describe('a family of actors', () => {
  it('gives a failure of a life that is over no verdict', async () => {
    const { clock, sent, fail, add } = family();
    const a = add('a');
    fail(a, 1);
    await clock.advance(50);
    fail(a, 1);
    expect(sent).to.deep.equal(['halt kid/a', 'begin kid/a']);
    fail(a, 2);
    expect(sent).to.have.length(3);
  });

  it('gives a failure of a child that has ended no verdict', () => {
    const { sent, fail, ended, add } = family();
    const a = add('a');
    ended(a);
    ended(a);
    fail(a, 1);
    expect(sent).to.be.empty;
  });

  it('lets nobody begin who has ended during the wait', async () => {
    const { clock, sent, fail, ended, add } = family({ strategy: 'all-for-one' });
    const [a, b] = [add('a'), add('b')];
    fail(a, 1);
    ended(b);
    await clock.advance(50);
    expect(sent).to.deep.equal(['halt kid/b', 'halt kid/a', 'begin kid/a']);
  });

  it('leaves those alone that were spawned during the wait', async () => {
    const { clock, sent, fail, add } = family({ strategy: 'all-for-one' });
    fail(add('a'), 1);
    add('b');
    await clock.advance(50);
    expect(sent).to.deep.equal(['halt kid/a', 'begin kid/a']);
  });

  it('sets no timer that outlives it, and restarts nobody once it is closed', async () => {
    const { clock, sent, children, fail, add } = family();
    const [a, b] = [add('a'), add('b')];
    fail(a, 1);
    children.close();
    expect(clock.pending).to.equal(0);
    fail(b, 1);
    await clock.advance(60_000);
    expect(sent).to.deep.equal(['halt kid/a']);
  });

  it('stops one child after the other, the last one first, and waits for each', async () => {
    const { clock, sent, children, ended, add } = family();
    const [a, b, c] = [add('a'), add('b'), add('c')];
    const stopping = children.stopAll();
    await clock.advance(0);
    expect(sent).to.deep.equal(['stop kid/c']);
    // Ends by itself before its turn.
    ended(b);
    ended(c);
    await clock.advance(0);
    expect(sent).to.deep.equal(['stop kid/c', 'stop kid/a']);
    ended(a);
    await stopping;
  });

  it('hands an escalated failure on once, and resumes the child when told', () => {
    const { sent, escalated, children, fail, add } = family({ decide: () => 'escalate' });
    fail(add('a'), 1, 'broken');
    expect([escalated, sent]).to.deep.equal([['broken'], []]);
    children.resumeEscalated();
    children.resumeEscalated();
    expect(sent).to.deep.equal(['resume kid/a']);
  });
});
