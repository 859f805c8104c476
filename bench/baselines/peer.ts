/**
 * Other libraries and Erlang as arms: the counter of the benches, made with each of them.
 *
 * They stand in bench/peers/ with a manifest of their own and are loaded at run time; where they aren't installed their
 * arms are left out, and the run says so. Counts are asked of the peer until they are right, because some let an ask
 * overtake a tell.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { timeEach } from '../harness/latency.js';
import { watchUsage } from '../harness/process-usage.js';
import type { Arm, ArmContext, Measurement } from '../harness/suite.js';
import { countBursts, keepInFlight } from '../harness/throughput.js';

/** From dist/bench/baselines/ to the sources, which are plain JavaScript and not compiled. */
const FOLDER = new URL('../../../bench/peers/', import.meta.url);
const BURST = 1_000;

/** What `counters.js` gives. */
interface CountingPeer {
  tell(amount: number): void;
  ask(amount: number): Promise<number>;
  total(): Promise<number>;
  stop(): unknown;
}

interface EmmettStore {
  append(stream: string, amounts: readonly number[]): Promise<unknown>;
  read(stream: string): Promise<number>;
  count(): Promise<number>;
}

/** Tells in bursts of 1,000, each awaited until the peer has counted it. */
export function peerTellArm(name: string, peer: string, what: string): Arm {
  return peerArm(
    name,
    peer,
    `${what}: a message to a counter, in bursts of 1,000`,
    'messages/s',
    (context, counter) => {
      let sent = 0;
      return countBursts(context, async () => {
        for (let i = 0; i < BURST; i += 1) counter.tell(1);
        sent += BURST;
        while ((await counter.total()) < sent);
        return BURST;
      });
    },
  );
}

/** Asks, so many in flight. */
export function peerAskArm(name: string, peer: string, what: string, lanes: number): Arm {
  const question = `${what}: a call of a counter, ${lanes === 1 ? 'one at a time' : `${lanes} in flight`}`;
  return peerArm(name, peer, question, 'asks/s', (context, counter) =>
    lanes === 1
      ? countBursts(context, async () => {
          for (let i = 0; i < 100; i += 1) await counter.ask(1);
          return 100;
        })
      : keepInFlight(context, lanes, () => counter.ask(1)),
  );
}

/** The time of each ask, one at a time. */
export function peerLatencyArm(name: string, peer: string, what: string): Arm {
  return peerArm(name, peer, `${what}: a call of a counter, one at a time`, 'µs', (context, counter) =>
    timeEach(context, () => counter.ask(1)),
  );
}

function peerArm(
  name: string,
  peer: string,
  question: string,
  unit: Arm['unit'],
  measure: (context: ArmContext, counter: CountingPeer) => Promise<Omit<Measurement, 'processed'>>,
): Arm {
  return {
    name,
    question,
    unit,
    mayLinger: true,
    unavailable: peersMissing,
    async run(context) {
      const counter = await startFrom<CountingPeer>('counters.js', peer);
      const found = await measure(context, counter);
      const processed = await counter.total();
      await counter.stop();
      return { ...found, processed };
    },
  };
}

async function startFrom<Peer>(file: string, name: string): Promise<Peer> {
  // Files of bench/peers/, which export functions that start a peer; their shapes are declared beside the arms.
  const module = (await import(new URL(file, FOLDER).href)) as Record<string, () => Peer | Promise<Peer>>;
  const start = module[name];
  if (start === undefined) throw new Error(`bench/peers/${file} has no ${name}`);
  return start();
}

/** What `nurseries.js` gives. */
interface NurseryPeer {
  burst(count: number): Promise<unknown> | void;
  handled(): number;
  stop(): unknown;
}

/** Actors that begin, handle one message and end, in bursts of 1,000. */
export function peerSpawnArm(name: string, peer: string, what: string): Arm {
  return {
    name,
    question: `${what}: begins, handles one message and ends, in bursts of 1,000`,
    unit: 'actors/s',
    mayLinger: true,
    unavailable: peersMissing,
    async run(context) {
      const nursery = await startFrom<NurseryPeer>('nurseries.js', peer);
      const found = await countBursts(context, async () => {
        await nursery.burst(BURST);
        return BURST;
      });
      const processed = nursery.handled();
      await nursery.stop();
      return { ...found, processed };
    },
  };
}

/** Emmett's event store on SQLite: appends of some events each, one at a time. */
export function emmettArm(name: string, events: number, streams: number): Arm {
  return {
    name,
    question: `Emmett on SQLite: ${events} event${events === 1 ? '' : 's'} an append, one append at a time`,
    unit: 'events/s',
    unavailable: peersMissing,
    async run(context) {
      const store = await startEmmett(`${context.folder}/emmett.db`);
      const amounts = Array.from({ length: events }, () => 1);
      let next = 0;
      const found = await countBursts(context, async () => {
        await store.append(`account-${next++ % streams}`, amounts);
        return events;
      });
      return { ...found, processed: await store.count() };
    },
  };
}

/** Emmett reading a stream of so many events again and again. */
export function emmettReadArm(name: string, events: number): Arm {
  return {
    name,
    question: `Emmett on SQLite: reads a stream of ${events} events`,
    unit: 'events/s',
    unavailable: peersMissing,
    async run(context) {
      const store = await startEmmett(`${context.folder}/emmett.db`);
      for (let i = 0; i < events; i += 100) {
        await store.append(
          'account-0',
          Array.from({ length: 100 }, () => 1),
        );
      }
      let processed = 0;
      const found = await countBursts(context, async () => {
        processed += await store.read('account-0');
        return events;
      });
      return { ...found, processed };
    },
  };
}

async function startEmmett(file: string): Promise<EmmettStore> {
  const module = (await import(new URL('emmett.js', FOLDER).href)) as { emmett(file: string): Promise<EmmettStore> };
  return module.emmett(file);
}

function peersMissing(): string | undefined {
  return existsSync(new URL('node_modules', FOLDER)) ? undefined : 'run npm ci --prefix bench/peers first';
}

/** The counter as an Erlang process, on so many schedulers. `kind`: see counter.erl. */
export function erlangArm(name: string, kind: string, question: string, unit: Arm['unit'], schedulers: number): Arm {
  return {
    name,
    question: `Erlang/OTP, ${schedulers} scheduler${schedulers === 1 ? '' : 's'}: ${question}`,
    unit,
    unavailable: erlangMissing,
    async run({ folder, warmupMs, measureMs }) {
      const run = promisify(execFile);
      await run('erlc', ['-o', folder, fileURLToPath(new URL('counter.erl', FOLDER))]);
      const call = `counter:main(["${kind}","${Math.round(warmupMs)}","${Math.round(measureMs)}"]).`;
      const running = run('erl', ['+S', `${schedulers}:${schedulers}`, '-pa', folder, '-noshell', '-eval', call]);
      const usage = watchUsage(running.child.pid);
      const { stdout } = await running;
      const [value = 0, sent = 0, processed = 0, cpuUs = 0] = stdout.trim().split(' ').map(Number);
      const { memoryMb } = usage();
      // One burst after the other, inside of Erlang: only their mean is known.
      const each = 1_000_000 / value;
      return { value, samples: 1, p50: each, p99: each, p999: each, cpuUs, memoryMb, sent, processed };
    },
  };
}

let erlang: string | undefined | null = null;

function erlangMissing(): string | undefined {
  if (erlang === null) {
    try {
      execFileSync('erl', ['+V'], { stdio: 'ignore' });
      erlang = undefined;
    } catch {
      erlang = 'there is no Erlang; on Debian: apt-get install erlang-base';
    }
  }
  return erlang;
}
