/** Laws of supervising, without an actor: windows, waits, and what a supervisor decides. */
import { expect } from 'chai';
import { backoffMs } from '../../src/supervision/backoff.js';
import { mayRestart, NO_RESTARTS, type RestartHistory, withRestart } from '../../src/supervision/restart-window.js';
import { concerned } from '../../src/supervision/strategy.js';
import { judge, type Policy } from '../../src/supervision/verdict.js';

const policy: Policy = {
  strategy: 'one-for-one',
  maxRestarts: 3,
  withinMs: 10_000,
  backoff: { minMs: 50, maxMs: 5_000, jitter: 0 },
  decide: () => 'restart',
};
const failure = { error: new Error('broken'), resumable: true };
const at = (nowMs: number, random = 0): { nowMs: number; random: number } => ({ nowMs, random });

describe('supervision strategies', () => {
  const children = ['a', 'b', 'c', 'd'];

  it('one-for-one concerns the failed child alone', () => {
    expect(concerned('one-for-one', children, 'b')).to.deep.equal(['b']);
  });

  it('all-for-one concerns all children, in the order spawned', () => {
    expect(concerned('all-for-one', children, 'b')).to.deep.equal(children);
  });

  it('rest-for-one concerns the failed child and those spawned after it', () => {
    expect(concerned('rest-for-one', children, 'b')).to.deep.equal(['b', 'c', 'd']);
    expect(concerned('rest-for-one', children, 'd')).to.deep.equal(['d']);
  });
});

describe('the window of restarts', () => {
  const restarted = (times: readonly number[]): RestartHistory =>
    times.reduce((history, atMs) => withRestart(history, policy, atMs, 0), NO_RESTARTS);

  it('refuses the 4th restart within the window when 3 are allowed', () => {
    expect(mayRestart(restarted([0, 10, 20]), policy, 30)).to.be.false;
    expect(mayRestart(restarted([0, 10]), policy, 30)).to.be.true;
  });

  it('slides: a restart counts for 10,000 ms, not a millisecond longer', () => {
    const history = restarted([0, 4_000, 8_000]);
    expect(mayRestart(history, policy, 9_999)).to.be.false;
    expect(mayRestart(history, policy, 10_000)).to.be.true;
    expect(mayRestart(withRestart(history, policy, 10_000, 0), policy, 13_999)).to.be.false;
  });

  it('allows none when maxRestarts is 0, and any number when it is Infinity', () => {
    expect(mayRestart(NO_RESTARTS, { ...policy, maxRestarts: 0 }, 0)).to.be.false;
    const endless = { ...policy, maxRestarts: Infinity };
    let history = NO_RESTARTS;
    for (let i = 0; i < 10_000; i += 1) history = withRestart(history, endless, i, 0);
    expect(mayRestart(history, endless, 10_000)).to.be.true;
    expect(history.restartsMs).to.have.length(0);
  });

  it('counts for ever when within is Infinity', () => {
    const ever = { ...policy, withinMs: Infinity };
    const history = [0, 1, 2].reduce((before, atMs) => withRestart(before, ever, atMs, 0), NO_RESTARTS);
    expect(mayRestart(history, ever, Number.MAX_SAFE_INTEGER)).to.be.false;
  });

  it('keeps at most maxRestarts times', () => {
    expect(restarted([0, 20_000, 40_000, 60_000, 80_000]).restartsMs).to.have.length(1);
  });
});

describe('backoff', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 2_000].map((nth) => backoffMs(policy.backoff, nth, 0));

  it('doubles from min to max', () => {
    expect(waits).to.deep.equal([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it('adds at most the share jitter, and never less than nothing', () => {
    const jittered = { ...policy.backoff, jitter: 0.2 };
    expect(backoffMs(jittered, 2, 0)).to.equal(100);
    expect(backoffMs(jittered, 2, 0.5)).to.be.closeTo(110, 1e-9);
    expect(backoffMs(jittered, 2, 0.999_999)).to.be.below(120);
  });

  it('is 0 when min is 0, however often', () => {
    expect(backoffMs({ minMs: 0, maxMs: 100, jitter: 0.2 }, 5_000, 0.5)).to.equal(0);
  });
});

describe('the verdict of a supervisor', () => {
  it('is what decide says of the error', () => {
    for (const directive of ['resume', 'stop', 'escalate', 'restart'] as const) {
      const verdict = judge({ ...policy, decide: () => directive }, failure, NO_RESTARTS, at(0));
      expect(verdict.directive).to.equal(directive);
    }
  });

  it('is a restart instead of a resume when there is no state to go on with', () => {
    const verdict = judge({ ...policy, decide: () => 'resume' }, { ...failure, resumable: false }, NO_RESTARTS, at(0));
    expect(verdict.directive).to.equal('restart');
  });

  it('is an escalation when decide throws, or returns no directive', () => {
    const thrown = judge(
      {
        ...policy,
        decide: () => {
          throw new Error('undecided');
        },
      },
      failure,
      NO_RESTARTS,
      at(0),
    );
    expect(thrown).to.deep.equal({ directive: 'escalate', because: 'decide() failed: undecided' });
    for (const nonsense of [undefined, null, 'retry', Promise.resolve('restart')]) {
      expect(judge({ ...policy, decide: () => nonsense }, failure, NO_RESTARTS, at(0)).directive).to.equal('escalate');
    }
  });

  it('restarts 3 times with doubling waits, then escalates', () => {
    let history = NO_RESTARTS;
    const delays: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const verdict = judge(policy, failure, history, at(i * 1_000));
      if (verdict.directive !== 'restart') throw new Error(verdict.directive);
      delays.push(verdict.delayMs);
      history = verdict.history;
    }
    expect(delays).to.deep.equal([50, 100, 200]);
    const last = judge(policy, failure, history, at(3_000));
    expect(last).to.deep.equal({ directive: 'escalate', because: 'it has been restarted 3 times within 10000 ms' });
  });

  it('waits from the beginning again only after a whole window without a failure', () => {
    const patient: Policy = { ...policy, maxRestarts: Infinity };
    let history = NO_RESTARTS;
    let nowMs = 0;
    const delays: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const verdict = judge(patient, failure, history, at(nowMs));
      if (verdict.directive !== 'restart') throw new Error(verdict.directive);
      delays.push(verdict.delayMs);
      history = verdict.history;
      nowMs += verdict.delayMs;
    }
    // Long waits push earlier restarts out of the window; that is no reason to hurry.
    expect(delays).to.deep.equal([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    const verdict = judge(patient, failure, history, at(nowMs + 10_000));
    expect(verdict).to.include({ directive: 'restart', delayMs: 50 });
  });
});
