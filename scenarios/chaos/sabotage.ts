/**
 * What is done to the workers of `chaos`, drawn by chance: they exit, fail outside of every handler, stand still, hoard
 * memory; and mailboxes are flooded.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActorRef, ActorSystem } from 'troupe';
import { meter, saboteur } from './cast.js';

/** Ways to hurt. */
export const HARM = ['exit', 'fail', 'block', 'hoard', 'flood'] as const;

export type Harm = (typeof HARM)[number];

export interface SabotageOptions {
  readonly system: ActorSystem;
  readonly meters: number;
  readonly heapMb: number;
  readonly blockedAfterMs: number;
  readonly random: () => number;
}

const FLOOD = 3_000;
/** MiB of one message that hoards. */
const HOARDED_MIB = 16;

export class Sabotage {
  readonly #options: SabotageOptions;
  readonly done = new Map<Harm, number>();
  #saboteurs: ActorRef<typeof saboteur>[] = [];
  #turn = 0;

  constructor(options: SabotageOptions) {
    this.#options = options;
  }

  /** A saboteur on each worker. */
  async enlist(workers: number): Promise<void> {
    const threads = new Set<number>();
    for (let i = 0; threads.size < workers && i < 1_000; i += 1) {
      const ref = await this.#options.system.spawn(saboteur, { id: `saboteur-${i}` });
      const thread = await ref.ask('thread');
      if (threads.has(thread)) await ref.stop();
      else {
        threads.add(thread);
        this.#saboteurs.push(ref);
      }
    }
  }

  /** Hurts, again and again, until told to stop; first each way once. */
  async go(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(300 + this.#options.random() * 700, signal);
      if (signal.aborted) return;
      const harm = HARM[this.#turn < HARM.length ? this.#turn : Math.floor(this.#options.random() * HARM.length)];
      this.#turn += 1;
      if (harm === undefined) continue;
      await this.#do(harm);
      this.done.set(harm, (this.done.get(harm) ?? 0) + 1);
    }
  }

  async #do(harm: Harm): Promise<void> {
    const { random, heapMb, blockedAfterMs } = this.#options;
    if (harm === 'flood') return this.#flood();
    const ref = this.#saboteurs[Math.floor(random() * this.#saboteurs.length)];
    if (ref === undefined) return;
    // Nobody waits for an answer that the dead can't give.
    if (harm === 'exit' || harm === 'fail') ref.tell(harm);
    else if (harm === 'block') ref.tell('block', blockedAfterMs * 20);
    else for (let mib = 0; mib < heapMb * 1.5; mib += HOARDED_MIB) ref.tell('hoard', HOARDED_MIB);
    await Promise.resolve();
  }

  /** More than the mailbox has room for, behind a message that takes its time. */
  async #flood(): Promise<void> {
    const { system, meters, random } = this.#options;
    const ref = system.ref(meter, `meter-${Math.floor(random() * meters)}`);
    ref.tell('dawdle', 200);
    for (let i = 0; i < FLOOD; i += 1) ref.tell('tick');
    // Whoever waits for room gets it.
    await ref.send('tick', undefined, { timeout: '30s' }).catch(() => undefined);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
