/**
 * Times every single operation, one at a time, with tinybench.
 */
import { Bench } from 'tinybench';
import type { ArmContext } from './suite.js';
import type { Uncounted } from './throughput.js';
import { cpuSince, startWarmUp } from './warm-up.js';

/**
 * The time of one operation; the value is the median in microseconds. The cost of asking for the time is taken off.
 *
 * @param operation gets the number of the operation, from 0.
 */
export async function timeEach(
  time: Pick<ArmContext, 'warmupMs' | 'measureMs'>,
  operation: (index: number) => Promise<unknown>,
): Promise<Uncounted> {
  let sent = 0;
  const isWarm = startWarmUp(time.warmupMs);
  while (!isWarm()) await operation(sent++);
  const warm = sent;

  const bench = new Bench({
    warmup: false,
    time: time.measureMs,
    subtractTimerOverhead: true,
    timestampProvider: 'performanceNow',
    throws: true,
  });
  bench.add('operation', () => operation(sent++), { async: true });
  const cpu = process.cpuUsage();
  const [task] = await bench.run();
  const cpuUs = cpuSince(cpu) / (sent - warm);
  if (task?.result.state !== 'completed') throw new Error('tinybench did not complete');
  const { p50, p99, p999, samplesCount } = task.result.latency;
  const value = p50 * 1_000;
  return { value, samples: samplesCount, p50: value, p99: p99 * 1_000, p999: p999 * 1_000, cpuUs, sent };
}
