/**
 * The facts of one thread: counted always, logged where a person should know, told to whoever listens.
 *
 * Hot path for spawning and stopping: two calls and a counter for each fact.
 */
import type { Logger } from './logger.js';
import type { FactSink, RuntimeFact, RuntimeFactKind } from './runtime-fact.js';

/** How often each kind of fact was told. */
export type FactCounts = Readonly<Record<RuntimeFactKind, number>>;

/** Counts of nothing yet. */
export function noFacts(): Record<RuntimeFactKind, number> {
  return {
    spawned: 0,
    failed: 0,
    'failed-again': 0,
    restarted: 0,
    stopped: 0,
    'left-behind': 0,
    'mailbox-high-water': 0,
    dropped: 0,
    'dead-letter': 0,
    committed: 0,
    'worker-ready': 0,
    'worker-blocked': 0,
    'worker-lost': 0,
    'worker-retired': 0,
    'stop-phase': 0,
  };
}

export class Facts implements FactSink {
  readonly #log: Logger;
  readonly #counts = noFacts();
  #listener: ((fact: RuntimeFact) => void) | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  get counts(): FactCounts {
    return this.#counts;
  }

  tell(fact: RuntimeFact): void {
    this.#counts[fact.kind] += 1;
    logFact(this.#log, fact);
    if (this.#listener !== undefined) this.#listener(fact);
  }

  /** Who is told of each fact from now on; undefined: nobody. It must not throw. */
  listen(listener: ((fact: RuntimeFact) => void) | undefined): void {
    this.#listener = listener;
  }
}

/** The line in the log that a fact is worth. */
function logFact(log: Logger, fact: RuntimeFact): void {
  switch (fact.kind) {
    case 'spawned':
    case 'restarted':
    case 'stopped':
    case 'mailbox-high-water':
    case 'dropped':
    case 'committed':
    case 'worker-ready':
    // The line of a dead letter is throttled, where they are kept.
    case 'dead-letter':
    // The loss that follows is the line.
    case 'worker-blocked':
      return;
    case 'failed':
      return logFailure(log, fact);
    case 'failed-again':
      return log.warn(`${fact.name}/${fact.id} failed, and has failed or ends already`, { error: fact.error });
    case 'left-behind':
      return log.warn(`${fact.name}/${fact.id} doesn't come to an end, and is left behind`, { type: fact.type });
    case 'worker-lost':
      return log.error(fact.error.message);
    case 'worker-retired':
      return log.warn(`worker ${fact.worker} is replaced: ${fact.because}`);
    case 'stop-phase':
      if (!fact.complete) log.warn(`stop: ${fact.phase} did not finish within ${Math.round(fact.ms)} ms`);
      return;
  }
  return fact satisfies never;
}

function logFailure(log: Logger, fact: Extract<RuntimeFact, { kind: 'failed' }>): void {
  const key = `${fact.name}/${fact.id}`;
  const fields = { error: fact.error };
  switch (fact.directive) {
    case 'resume':
      return log.warn(`${key} failed, and goes on`, fields);
    case 'stop':
      return log.error(`${key} failed, and is stopped`, fields);
    case 'restart':
      return log.warn(`${key} failed, and begins again in ${Math.round(fact.delayMs)} ms`, fields);
    case 'escalate':
      return log.error(`${key} failed, and its supervisor with it: ${fact.because}`, fields);
  }
  return fact.directive satisfies never;
}
