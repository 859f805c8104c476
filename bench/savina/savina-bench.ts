/**
 * One benchmark of the Savina suite: how it is begun, how many messages it takes, and its known answer.
 *
 * An actor that knows the end answers an ask for it; one that comes before is set aside until then. Parameters are the
 * defaults of the original, and so is what counts as a message; `scale` makes them smaller for a quick run.
 *
 * @see Imam and Sarkar, Savina: An Actor Benchmark Suite, AGERE! 2014; https://github.com/shamsimam/savina, where each
 *   benchmark's `*Config.java` holds its defaults
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { ActorRef, ActorSystem } from 'troupe';

export interface SavinaBench {
  readonly name: string;
  readonly question: string;
  /** Begins it and resolves with what came out. */
  play(system: ActorSystem, scale: number): Promise<SavinaOutcome>;
}

export interface SavinaOutcome {
  /** Messages that the rules of the benchmark ask for. */
  readonly expected: number;
  /** Messages that its actors have counted. */
  readonly counted: number;
  readonly answer: number;
  /** What the answer has to be. */
  readonly known: number;
}

/** A mailbox that holds whatever a benchmark sends at once: Savina's have no bound. */
export const LARGE = { capacity: 1_000_000 } as const;

/** Long enough for the largest of them. */
export const PATIENT = { timeout: '2m' } as const;

/** Messages between two that wait for room. */
const AHEAD = 500;

/**
 * Sends so many messages without ever filling mailbox or link: each five-hundredth waits until it is taken, and lets the
 * others on this thread have their turn.
 */
export async function pour(
  ref: ActorRef,
  type: string,
  count: number,
  payloadOf: (index: number) => unknown = nothing,
): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    if ((i + 1) % AHEAD !== 0) {
      ref.tell(type, payloadOf(i));
      continue;
    }
    await ref.send(type, payloadOf(i), PATIENT);
    await turn();
  }
}

function nothing(): undefined {}

/** What an actor needs of its context to hold back an answer. */
interface Stashing {
  stash(): void;
}

/** The value when it is there; else the ask is set aside. */
export function whenDone<T>(value: T | undefined, ctx: Stashing): T | undefined {
  if (value === undefined) ctx.stash();
  return value;
}

/** A parameter at this scale. */
export function sized(full: number, scale: number, least = 1): number {
  return Math.max(least, Math.round(full * scale));
}
