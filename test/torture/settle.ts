/**
 * Opens a journal after a crash, lets everything that was under way come to its end, and tells what the system says then.
 */
import { ActorSystem } from 'troupe';
import { account, ACCOUNTS } from './bank.js';
import type { ToldState } from './sql-check.js';

/** What a settled system says of itself. */
export interface Settled {
  readonly states: readonly ToldState[];
  /** Dead letters of rejected commands. */
  readonly rejected: number;
  /** All other dead letters, and what needs a person, in words. */
  readonly others: readonly string[];
}

export async function settle(journal: string, workers: number): Promise<Settled> {
  const system = await ActorSystem.start({
    cast: new URL('./bank.js', import.meta.url),
    workers,
    journal,
    limits: { askTimeout: '60s', blockedAfter: '60s' },
    log: { debug: nothing, info: nothing, warn: nothing, error: (text) => process.stderr.write(`${text}\n`) },
  });
  try {
    await system.settled({ timeout: '120s' });
    await untilSagasHaveEnded(system);
    await system.settled({ timeout: '120s' });
    const states: ToldState[] = [];
    for (let i = 0; i < ACCOUNTS; i += 1) {
      const { balance, movements } = await system.state(account, `a${i}`);
      states.push({ account: `a${i}`, balance, movements });
    }
    const letters = system.deadLetters.list();
    const others = letters.filter(({ reason }) => reason !== 'rejected').map((letter) => JSON.stringify(letter));
    for (const problem of system.health().problems) others.push(JSON.stringify(problem));
    return { states, rejected: letters.length - others.length, others };
  } finally {
    await system.stop();
  }
}

/** A system has settled although sagas sleep or wait; here each of them comes to its end within seconds. */
async function untilSagasHaveEnded(system: ActorSystem): Promise<void> {
  for (let looks = 0; looks < 6_000; looks += 1) {
    const living = system
      .metrics()
      .sagas.reduce((sum, one) => sum + one.running + one.waiting + one.sleeping + one.compensating + one.lag, 0);
    if (living === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`sagas have not ended within 2 minutes: ${JSON.stringify(system.metrics().sagas)}`);
}

function nothing(): void {
  // What is refused is counted below.
}
