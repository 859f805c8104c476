/**
 * The counting loops: they count everything they begin, and keep as many operations in flight as they say.
 */
import { expect } from 'chai';
import { timeEach } from '../../bench/harness/latency.js';
import { watchUsage } from '../../bench/harness/process-usage.js';
import { timeAtHalfCapacity, timeAtRate } from '../../bench/harness/steady-rate.js';
import { countBursts, doAll, keepInFlight } from '../../bench/harness/throughput.js';
import { cpuSince, startWarmUp } from '../../bench/harness/warm-up.js';

const TIME = { warmupMs: 5, measureMs: 20 };

describe('bench loops', () => {
  it('count every operation of every burst, warm-up included', async () => {
    let processed = 0;
    const found = await countBursts(TIME, async () => {
      processed += 50;
      return 50;
    });
    expect(found.sent).to.equal(processed);
    expect(found.value).to.be.above(0);
    expect(found.samples * 50).to.be.at.most(processed);
    expect(found.p50).to.be.at.most(found.p99);
  });

  for (const lanes of [1, 16]) {
    it(`keep ${lanes} operations in flight, never more, and wait for the last`, async () => {
      let begun = 0;
      let done = 0;
      let most = 0;
      const found = await keepInFlight(TIME, lanes, async (index) => {
        expect(index).to.equal(begun);
        begun += 1;
        most = Math.max(most, begun - done);
        await new Promise(setImmediate);
        done += 1;
      });
      expect(most).to.equal(lanes);
      expect(done).to.equal(begun);
      expect(found.sent).to.equal(done);
      expect(found.samples).to.be.above(0);
    });
  }

  it('fail with the first operation that fails, once the others have ended', async () => {
    let running = 0;
    const error = await keepInFlight(TIME, 4, async (index) => {
      running += 1;
      await new Promise(setImmediate);
      running -= 1;
      if (index === 10) throw new Error('the eleventh');
    }).catch((caught: unknown) => caught);
    expect(error).to.have.property('message', 'the eleventh');
    expect(running).to.be.at.most(1);
  });

  it('do exactly as many operations as asked for, each once', async () => {
    const seen: number[] = [];
    await doAll(100, 7, async (index) => {
      await Promise.resolve();
      seen.push(index);
    });
    expect(seen).to.have.members(Array.from({ length: 100 }, (_, i) => i));
    expect(seen).to.have.length(100);
  });

  it('are warm after 20 ms of processor time, and not after 199 of the clock', () => {
    const time = { clock: 5_000, cpu: 700_000 };
    const isWarm = startWarmUp(20, { clockMs: () => time.clock, cpuUs: () => time.cpu });
    time.clock += 199;
    expect(isWarm()).to.equal(false);
    const later = startWarmUp(20, { clockMs: () => time.clock, cpuUs: () => time.cpu });
    time.clock += 25;
    time.cpu += 19_999;
    expect(later()).to.equal(false);
    time.clock += 5;
    time.cpu += 1;
    expect(later()).to.equal(true);
    // And they stay so.
    time.cpu = 0;
    expect([later(), later()]).to.deep.equal([true, true]);
  });

  it('are warm after 10 times as long on the clock when the work only waits', () => {
    const time = { clock: 5_000 };
    const isWarm = startWarmUp(20, { clockMs: () => time.clock, cpuUs: () => 0 });
    const found: number[] = [];
    for (; found.length < 2; time.clock += 6) if (isWarm()) found.push(time.clock - 5_000);
    expect(found).to.deep.equal([204, 210]);
  });

  it('go by the clock and the processor time of this process, unless told otherwise', () => {
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    const isWarm = startWarmUp(20);
    while (!isWarm());
    // On a machine that is busy with other things, the second comes first.
    expect(cpuSince(cpu) >= 20_000 || performance.now() - startedAt >= 200).to.equal(true);
  });

  it('time each operation with tinybench, and count those of its warm-up too', async () => {
    let processed = 0;
    const found = await timeEach(TIME, async () => {
      await new Promise(setImmediate);
      processed += 1;
    });
    expect(found.sent).to.equal(processed);
    expect(found.samples).to.be.above(0);
    expect(found.value).to.equal(found.p50);
    expect(found.p99).to.be.at.least(found.p50);
  });
});

describe('bench latency under load', () => {
  it('counts from when an operation was due: a thread that stands still for 40 ms delays all that were due meanwhile', async () => {
    const found = await timeAtRate(1_000, 100, async (index) => {
      if (index === 20) standStill(40);
    });
    expect(found.sent).to.equal(100);
    expect(found.samples).to.equal(100);
    // The one due right after it began has waited for all of the 40 ms.
    expect(found.p99).to.be.above(30_000);
    expect(found.value).to.equal(found.p50);
  });

  it('counts those too that were due while the thread stood still at the end', async () => {
    const found = await timeAtRate(1_000, 100, async (index) => {
      if (index === 80) standStill(40);
    });
    expect(found.sent).to.equal(100);
    expect(found.samples).to.equal(100);
    expect(found.p99).to.be.above(30_000);
  });

  it('begins operations at half the rate that lanes of them reach, and waits for the last', async () => {
    let begun = 0;
    let done = 0;
    const found = await timeAtHalfCapacity(TIME, 4, async (index) => {
      expect(index).to.equal(begun);
      begun += 1;
      await new Promise((resolve) => setTimeout(resolve, 2));
      done += 1;
    });
    expect(done).to.equal(begun);
    expect(found.sent).to.equal(done);
  });

  it('fails with the operation that fails', async () => {
    const error = await timeAtRate(1_000, 50, () => Promise.reject(new Error('no'))).catch((caught: unknown) => caught);
    expect(error).to.have.nested.property('cause.message', 'no');
  });
});

describe('the usage of another process', () => {
  it('is its memory and its processor time on Linux, and nothing of one that is not there', async function () {
    if (process.platform !== 'linux') this.skip();
    const usage = watchUsage(process.pid, 5);
    const before = usage();
    // It is counted in hundredths of a second.
    for (const cpu = process.cpuUsage(); cpuSince(cpu) < 30_000; );
    const after = watchUsage(process.pid)();
    expect(after.cpuUs).to.be.above(before.cpuUs);
    expect(after.memoryMb).to.be.within(20, 10_000);
    expect(watchUsage(undefined)()).to.deep.equal({ memoryMb: 0, cpuUs: 0 });
  });
});

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
