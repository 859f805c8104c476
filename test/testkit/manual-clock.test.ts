/** Laws of the clock that stands still. */
import { expect } from 'chai';
import { ManualClock } from '../../src/testkit/manual-clock.js';

describe('ManualClock', () => {
  it('stands still until it is told to go on', async () => {
    const clock = new ManualClock(1_000);
    let fired = 0;
    clock.setTimer(10, () => (fired += 1));
    await clock.advance(9);
    expect([fired, clock.now(), clock.monotonic()]).to.deep.equal([0, 1_009, 9]);
    await clock.advance(1);
    expect([fired, clock.now(), clock.monotonic()]).to.deep.equal([1, 1_010, 10]);
  });

  it('fires in the order of due times, among equals in the order set, and shows the due time meanwhile', async () => {
    const clock = new ManualClock(0);
    const log: string[] = [];
    const set = (ms: number, name: string): void => void clock.setTimer(ms, () => log.push(`${clock.now()} ${name}`));
    set(20, 'c');
    set(10, 'a');
    set(20, 'd');
    set(10, 'b');
    await clock.advance(100);
    expect(log).to.deep.equal(['10 a', '10 b', '20 c', '20 d']);
    expect(clock.now()).to.equal(100);
  });

  it('fires what is set meanwhile, if it falls due meanwhile, after promises and immediates have run', async () => {
    const clock = new ManualClock(0);
    const log: string[] = [];
    clock.setTimer(10, () => {
      void Promise.resolve().then(() => log.push(`${clock.now()} promise`));
      setImmediate(() => {
        log.push(`${clock.now()} immediate`);
        clock.setTimer(5, () => log.push(`${clock.now()} second`));
      });
    });
    clock.setTimer(20, () => log.push(`${clock.now()} third`));
    await clock.advance(20);
    expect(log).to.deep.equal(['10 promise', '10 immediate', '15 second', '20 third']);
  });

  it('does not fire what was cancelled', async () => {
    const clock = new ManualClock();
    const timer = clock.setTimer(10, () => expect.fail('cancelled'));
    timer.cancel();
    timer.cancel();
    expect(clock.pending).to.equal(0);
    await clock.advance(10);
  });

  it('fires late what fell due while nothing could run', async () => {
    const clock = new ManualClock(0);
    const log: number[] = [];
    for (const ms of [10, 20, 60]) clock.setTimer(ms, () => log.push(clock.now()));
    clock.block(50);
    expect(log).to.deep.equal([]);
    await clock.advance(10);
    expect(log).to.deep.equal([50, 50, 60]);
  });

  it('goes neither back nor nowhere: a negative time, or none, is refused', async () => {
    const clock = new ManualClock(0);
    for (const ms of [-1, Number.NaN, Infinity]) {
      const refused = await clock.advance(ms).then(
        () => 'advanced',
        (error: unknown) => (error as { code: string }).code,
      );
      expect(refused).to.equal('TROUPE_INVALID_OPTIONS');
      expect(() => clock.block(ms)).to.throw(/no time to pass/);
    }
    await Promise.all([clock.advance(10), clock.advance(5)]);
    expect(clock.monotonic()).to.equal(10);
  });

  it('takes a time as any duration', async () => {
    const clock = new ManualClock(0);
    await clock.advance('2s');
    clock.block('50ms');
    expect(clock.monotonic()).to.equal(2_050);
    expect(() => clock.block('2 weeks' as '2d')).to.throw(/ManualClock\.block is '2 weeks'; give a duration/);
  });

  it('jumps by so much in either direction, and only the wall clock does', async () => {
    const clock = new ManualClock(1_000);
    clock.jump(-600);
    expect([clock.now(), clock.monotonic()]).to.deep.equal([400, 0]);
    clock.jump(50);
    await clock.advance(5);
    expect([clock.now(), clock.monotonic()]).to.deep.equal([455, 5]);
  });

  it('a jump of the wall clock moves neither monotonic time nor timers', async () => {
    const clock = new ManualClock(1_000_000);
    let fired = false;
    clock.setTimer(10, () => (fired = true));
    clock.jumpTo(5);
    expect([clock.now(), clock.monotonic()]).to.deep.equal([5, 0]);
    await clock.advance(10);
    expect([fired, clock.now(), clock.monotonic()]).to.deep.equal([true, 15, 10]);
  });
});
