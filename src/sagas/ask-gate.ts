/**
 * Lets so many asks of a definition's sagas be under way at a time: to one instance, to one definition, in total.
 *
 * An ask takes its permits from the narrowest to the widest and waits in order at each, so that nobody who holds a wide
 * one waits for a narrow one, and nobody waits for ever.
 */
import { RingBuffer } from '../core/ring-buffer.js';
import type { SagaAskLimits } from './saga-flow.js';

class Semaphore {
  readonly #limit: number;
  readonly #waiting = new RingBuffer<() => void>();
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isIdle(): boolean {
    return this.#held === 0;
  }

  /** Undefined: it is taken. */
  take(): Promise<void> | undefined {
    if (this.#held < this.#limit) {
      this.#held += 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    // The place goes to the next one without being free in between.
    const next = this.#waiting.shift();
    if (next === undefined) this.#held -= 1;
    else next();
  }
}

export class AskGate {
  readonly #limits: Required<SagaAskLimits>;
  readonly #total: Semaphore;
  readonly #definitions = new Map<string, Semaphore>();
  readonly #instances = new Map<string, Semaphore>();

  constructor(limits: Required<SagaAskLimits>) {
    this.#limits = limits;
    this.#total = new Semaphore(limits.total);
  }

  /** Resolves when an ask to this instance may be sent; undefined: at once. `leave` has to follow, once. */
  enter(target: string, targetId: string): Promise<void> | undefined {
    const gates = this.#gatesOf(target, targetId);
    for (const [index, gate] of gates.entries()) {
      const wait = gate.take();
      if (wait !== undefined) return this.#goOn(wait, gates.slice(index + 1));
    }
    return undefined;
  }

  leave(target: string, targetId: string): void {
    for (const gate of this.#gatesOf(target, targetId)) gate.give();
    const key = `${target}/${targetId}`;
    if (this.#instances.get(key)?.isIdle === true) this.#instances.delete(key);
  }

  async #goOn(wait: Promise<void>, gates: readonly Semaphore[]): Promise<void> {
    await wait;
    for (const gate of gates) await gate.take();
  }

  #gatesOf(target: string, targetId: string): Semaphore[] {
    const { perInstance, perDefinition, total } = this.#limits;
    const gates: Semaphore[] = [];
    if (perInstance < Infinity) gates.push(semaphore(this.#instances, `${target}/${targetId}`, perInstance));
    if (perDefinition < Infinity) gates.push(semaphore(this.#definitions, target, perDefinition));
    if (total < Infinity) gates.push(this.#total);
    return gates;
  }
}

function semaphore(all: Map<string, Semaphore>, key: string, limit: number): Semaphore {
  let one = all.get(key);
  if (one === undefined) {
    one = new Semaphore(limit);
    all.set(key, one);
  }
  return one;
}
