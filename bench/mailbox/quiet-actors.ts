/**
 * Fairness: how long 1,000 quiet actors take to answer, alone and beside one that is flooded.
 *
 * Each quiet one is asked once a second, so that an ask is due every millisecond, whatever became of the ones before:
 * who can't be asked in time waits, and that counts. The pace is the same with and without the flood, so caches
 * are as cold alone as beside it. Two times of each ask: from `ask()` to the answer, which is what mailboxes and
 * dispatcher make of it; and from when it was due by the clock, in which the lateness of timers is, as of all
 * I/O: what somebody outside would wait.
 */
import { ActorSystem } from 'troupe';
import { counter } from '../cast/counter.js';
import { flooded } from '../cast/flooded.js';
import type { Arm, ArmContext, Measurement } from '../harness/suite.js';
import { quantilesOf } from '../harness/throughput.js';
import { cpuSince, startWarmUp } from '../harness/warm-up.js';

const QUIET = 1_000;
/** Milliseconds between two asks. */
const PACE_MS = 1;
/** Messages in the flooded mailbox, always: half of its capacity. */
const FLOOD = 5_000;
/** The first asks are not measured: there the flood has just begun. */
const FIRST = 100;

/** From where an ask is timed. */
type From = 'ask' | 'due';

export const quietArms: readonly Arm[] = [
  arm('quiet-alone', '1,000 quiet actors, one of which is asked every millisecond: from ask to answer', 'ask', false),
  arm('quiet-beside-flooded', 'the same beside one whose mailbox always holds 5,000 messages', 'ask', true),
  arm(
    'quiet-timer-alone',
    'the same asks from the moment that their timer was due, so with the event loop',
    'due',
    false,
  ),
  arm('quiet-timer-beside-flooded', 'that beside the flooded one: how long timers and I/O wait', 'due', true),
];

function arm(name: string, question: string, from: From, beside: boolean): Arm {
  const baselines = beside ? { baselines: [from === 'ask' ? 'quiet-alone' : 'quiet-timer-alone'] } : {};
  return { name, question, unit: 'µs', ...baselines, run: (context) => quietActors(context, from, beside) };
}

/** The value is the median; p99 says how long the unlucky waited. */
async function quietActors(context: ArmContext, from: From, beside: boolean): Promise<Measurement> {
  const system = await ActorSystem.start({ name: 'bench', cast: [counter, flooded], workers: 0, journal: ':memory:' });
  const quiet = await Promise.all(Array.from({ length: QUIET }, (_, i) => system.spawn(counter, { id: `quiet-${i}` })));
  const busy = await system.spawn(flooded);
  let sent = 0;
  const ask = async (): Promise<void> => {
    await quiet[sent++ % QUIET]?.ask('next', 1);
  };
  const isWarm = startWarmUp(context.warmupMs);
  while (!isWarm()) await ask();

  if (beside) for (let i = 0; i < FLOOD; i += 1) busy.tell('again');
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  await atPace(Math.ceil(context.measureMs / PACE_MS), async (dueMs, index) => {
    const startedAt = from === 'ask' ? performance.now() : dueMs;
    await ask();
    if (index >= FIRST) latencies.push((performance.now() - startedAt) * 1_000);
  });
  const cpuUs = cpuSince(cpu) / (latencies.length + FIRST);
  busy.tell('end');
  const handled = await busy.ask('handled');
  const totals = await Promise.all(quiet.map((one) => one.ask('total')));
  await system.stop();
  if (beside && handled < latencies.length) throw new Error(`only ${handled} messages of the flood were handled`);
  const times = quantilesOf(latencies);
  return { ...times, value: times.p50, cpuUs, sent, processed: totals.reduce((sum, total) => sum + total, 0) };
}

/** Begins `count` operations by the clock, however long the others take; resolves when all are done. */
async function atPace(count: number, operation: (dueMs: number, index: number) => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  const all: Promise<void>[] = [];
  for (let next = 0; next < count; ) {
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    const now = performance.now();
    for (let dueMs = startedAt + next * PACE_MS; dueMs <= now && next < count; dueMs += PACE_MS) {
      all.push(operation(dueMs, next));
      next += 1;
    }
  }
  await Promise.all(all);
}
