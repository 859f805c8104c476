/**
 * A steady load: some accounts get numbered deposits at a fixed pace, whatever becomes of the earlier ones, so that a
 * worker that answers late is seen as late.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActorSystem } from 'troupe';
import { account } from './account.js';

/** One deposit that was answered. Times in milliseconds from the start of the load. */
export interface Deposit {
  readonly accountId: string;
  readonly number: number;
  readonly sentMs: number;
  readonly answeredMs: number;
}

export interface SteadyLoad {
  /** Milliseconds since the load began. */
  now(): number;
  readonly deposits: readonly Deposit[];
  readonly failures: readonly unknown[];
  /** Deposits sent to each account. */
  readonly sent: ReadonlyMap<string, number>;
  /** Sends no more; resolves when all are answered. */
  stop(): Promise<void>;
}

const EVERY_MS = 20;

/** Starts the load; it goes on until it is stopped. */
export function startLoad(system: ActorSystem, accountIds: readonly string[], random: () => number): SteadyLoad {
  const startedMs = performance.now();
  const now = (): number => performance.now() - startedMs;
  const deposits: Deposit[] = [];
  const failures: unknown[] = [];
  const sent = new Map(accountIds.map((id) => [id, 0]));
  const waiting: Promise<void>[] = [];
  let stopped = false;

  const send = (accountId: string): void => {
    const number = (sent.get(accountId) ?? 0) + 1;
    sent.set(accountId, number);
    const sentMs = now();
    const amount = 1 + Math.floor(random() * 100);
    const answer = system.ref(account, accountId).ask('deposit', { number, amount }, { timeout: '30s' });
    waiting.push(
      answer.then(
        () => void deposits.push({ accountId, number, sentMs, answeredMs: now() }),
        (error: unknown) => void failures.push(error),
      ),
    );
  };
  const run = async (): Promise<void> => {
    for (let round = 0; !stopped; round += 1) {
      for (const id of accountIds) send(id);
      await sleep(Math.max(0, (round + 1) * EVERY_MS - now()));
    }
  };
  const running = run();
  return {
    now,
    deposits,
    failures,
    sent,
    async stop() {
      stopped = true;
      await running;
      await Promise.all(waiting);
    },
  };
}

/** Where accounts live, by their thread. */
export async function threadsOf(system: ActorSystem, accountIds: readonly string[]): Promise<Map<string, number>> {
  const threads = await Promise.all(
    accountIds.map((id) => system.ref(account, id).ask('thread', undefined, { timeout: '30s' })),
  );
  return new Map(accountIds.map((id, index) => [id, threads[index] ?? 0]));
}

/** What the journal holds against what was sent: deposits that are missing, twice there, or not in their turn. */
export async function deviations(system: ActorSystem, sent: ReadonlyMap<string, number>): Promise<number> {
  const next = new Map<string, number>();
  let wrong = 0;
  for await (const { aggregateId, data } of system.readAll({ types: ['money.deposited'] })) {
    // The only event that accounts have.
    const { number } = data as { number: number };
    const expected = next.get(aggregateId) ?? 1;
    if (number !== expected) wrong += 1;
    next.set(aggregateId, expected + 1);
  }
  for (const [id, count] of sent) wrong += Math.abs(count + 1 - (next.get(id) ?? 1));
  return wrong;
}

/** When all of these accounts had answered something that was sent after `sinceMs`. */
export function answeredSince(deposits: readonly Deposit[], accountIds: readonly string[], sinceMs: number): number {
  const first = accountIds.map((id) => {
    const later = deposits.filter(({ accountId, sentMs }) => accountId === id && sentMs >= sinceMs);
    return Math.min(...later.map(({ answeredMs }) => answeredMs));
  });
  return Math.max(sinceMs, ...first);
}

/** The time within which 99 of 100 were answered, in milliseconds; 0 without any. */
export function p99(deposits: readonly Deposit[]): number {
  const times = deposits.map(({ sentMs, answeredMs }) => answeredMs - sentMs).toSorted((one, other) => one - other);
  return times[Math.max(0, Math.ceil(times.length * 0.99) - 1)] ?? 0;
}

/** Milliseconds that nobody minds while another thread is being started on the same cores. */
const UNNOTICED_MS = 250;

/**
 * What the p99 of healthy workers may be while another one is away: like before, give or take that a new thread takes
 * its share of the cores. Waiting for the one that is away would cost all of the downtime.
 */
export function harmless(calmMs: number, downMs: number): number {
  return Math.max(UNNOTICED_MS, 5 * calmMs, downMs / 2);
}
