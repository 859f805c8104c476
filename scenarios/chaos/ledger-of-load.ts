/**
 * The load of `chaos`: numbered deposits into many accounts, some of each account under way at a time, and ticks for many
 * meters. It remembers what was acknowledged, to be compared with the journal.
 *
 * A deposit that fails is sent again under its own id until it is acknowledged: that is what ids are for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ActorSystem, isTroupeError } from 'troupe';
import { account, meter } from './cast.js';

/** Deposits of one account that are under way at a time. */
const IN_ROW = 4;

export interface LoadOptions {
  readonly system: ActorSystem;
  readonly accounts: number;
  readonly meters: number;
  /** Accounts that are served at a time. */
  readonly lanes: number;
  readonly random: () => number;
}

export class Load {
  readonly #options: LoadOptions;
  /** Deposits sent to each account. */
  readonly sent: Int32Array;
  /** Deposits of each account that were acknowledged. */
  readonly acknowledged: Int32Array;
  /** `account/number` of deposits that had to be sent again: these may come out of their turn. */
  readonly repeated = new Set<string>();
  /** How often a deposit failed, by code. */
  readonly failures = new Map<string, number>();
  readonly #busy = new Set<number>();
  ticks = 0;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.sent = new Int32Array(options.accounts);
    this.acknowledged = new Int32Array(options.accounts);
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: this.#options.lanes }, () => this.#lane()));
  }

  /** Sends no more; resolves when everything is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  get total(): number {
    return this.acknowledged.reduce((sum, count) => sum + count, 0);
  }

  async #lane(): Promise<void> {
    const { system, accounts, meters, random } = this.#options;
    while (!this.#stopped) {
      const index = Math.floor(random() * accounts);
      if (this.#busy.has(index)) {
        await sleep(0);
        continue;
      }
      this.#busy.add(index);
      system.ref(meter, `meter-${Math.floor(random() * meters)}`).tell('tick');
      this.ticks += 1;
      // All at once: they have to arrive in this order.
      await Promise.all(Array.from({ length: IN_ROW }, () => this.#deposit(index)));
      this.#busy.delete(index);
    }
  }

  async #deposit(index: number): Promise<void> {
    const number = (this.sent[index] ?? 0) + 1;
    this.sent[index] = number;
    const id = `deposit-${index}-${number}`;
    for (;;) {
      try {
        await this.#options.system.ref(account, `account-${index}`).ask('deposit', { number }, { id, timeout: '30s' });
        this.acknowledged[index] = (this.acknowledged[index] ?? 0) + 1;
        return;
      } catch (error) {
        const code = isTroupeError(error) ? error.code : String(error);
        this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
        if (code === 'TROUPE_SYSTEM_STOPPED') return;
        this.repeated.add(`${index}/${number}`);
        await sleep(50);
      }
    }
  }
}

/** What the journal says against what was acknowledged. */
export interface Audit {
  readonly events: number;
  /** Acknowledged, and not there. */
  readonly missing: number;
  /** There more than once. */
  readonly double: number;
  /** Behind one that was sent later, although neither had to be sent again. */
  readonly outOfOrder: number;
}

export async function audit(system: ActorSystem, load: Load): Promise<Audit> {
  const seen = load.sent.map(() => 0);
  const last = load.sent.map(() => 0);
  const numbers = new Set<string>();
  let events = 0;
  let double = 0;
  let outOfOrder = 0;
  for await (const { aggregateId, data } of system.readAll({ types: ['money.deposited'] })) {
    const index = Number(aggregateId.slice('account-'.length));
    // The only data that this type of event has.
    const { number } = data as { readonly number: number };
    const key = `${index}/${number}`;
    events += 1;
    if (numbers.has(key)) double += 1;
    numbers.add(key);
    if (number < (last[index] ?? 0) && !load.repeated.has(key)) outOfOrder += 1;
    last[index] = Math.max(last[index] ?? 0, number);
    seen[index] = (seen[index] ?? 0) + 1;
  }
  const missing = load.acknowledged.reduce((sum, count, index) => sum + Math.max(0, count - (seen[index] ?? 0)), 0);
  return { events, missing, double, outOfOrder };
}
