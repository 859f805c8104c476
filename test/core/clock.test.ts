/** The clock of the machine: timers neither early nor at once when they are far away, and none that keeps the process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { systemClock } from '../../src/core/clock.js';

const LONGEST = 2_147_483_647;

describe('systemClock', () => {
  it('does not fire at once what is due in 25 days or never, and warns of no overflow', async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', note);
    const fired: number[] = [];
    const timers = [LONGEST + 1_000, LONGEST * 10, Infinity].map((ms) =>
      systemClock.setTimer(ms, () => fired.push(ms)),
    );
    await new Promise<void>((resolve) => systemClock.setTimer(5, resolve));
    for (const timer of timers) timer.cancel();
    process.off('warning', note);
    expect([fired, warnings]).to.deep.equal([[], []]);
  });

  it('fires no timer early, and in the order of due times', async () => {
    const order: number[] = [];
    const early: number[] = [];
    await Promise.all(
      [9, 3, 6, 0].map(
        (ms) =>
          new Promise<void>((resolve) => {
            const due = systemClock.monotonic() + ms;
            systemClock.setTimer(ms, () => {
              if (systemClock.monotonic() < due) early.push(ms);
              order.push(ms);
              resolve();
            });
          }),
      ),
    );
    expect(early).to.deep.equal([]);
    expect(order).to.deep.equal([0, 3, 6, 9]);
  });

  it('fires nothing that was cancelled', async () => {
    const timer = systemClock.setTimer(1, () => expect.fail('cancelled'));
    timer.cancel();
    timer.cancel();
    await new Promise<void>((resolve) => systemClock.setTimer(5, resolve));
  });

  it('lets the process end beside a background timer', async () => {
    const clock = new URL('../../src/core/clock.js', import.meta.url).href;
    const program = `import { systemClock } from '${clock}'; systemClock.setTimer(60000, () => {}, true); console.log('done');`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 15_000 });
    expect((await run).stdout).to.equal('done\n');
  });
});
