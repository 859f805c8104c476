/**
 * Runtime facts: what the runtime reports of itself, as one closed union.
 *
 * Log lines, `metrics()` and every tool are fed from them. Whoever tells one doesn't know who listens; when nobody does,
 * a fact costs an object and a counter, and none is told for a single message that went well.
 */
import type { DeadLetterReason } from './dead-letter.js';

/** Which instance a fact is about. */
interface OfInstance {
  /** Name of the definition. */
  readonly name: string;
  readonly id: string;
}

/** Something that happened in the runtime; told apart by `kind`. */
export type RuntimeFact =
  /** A plain actor was spawned; `parent` is null for a top-level one. */
  | (OfInstance & { readonly kind: 'spawned'; readonly parent: OfInstance | null })
  /** Code of an actor has thrown, and its supervisor has decided. `delayMs` until it begins again. */
  | (OfInstance & {
      readonly kind: 'failed';
      readonly error: unknown;
      readonly directive: 'restart' | 'resume' | 'stop' | 'escalate';
      readonly delayMs: number;
      /** Why it is escalated. */
      readonly because: string;
    })
  /** Code of an actor has failed that had failed before, or ends. */
  | (OfInstance & { readonly kind: 'failed-again'; readonly error: unknown })
  /** An actor has begun another life; the first life is number 1. */
  | (OfInstance & { readonly kind: 'restarted'; readonly life: number })
  /** A plain actor has ended for good. */
  | (OfInstance & { readonly kind: 'stopped' })
  /** Code of an actor did not end in time, and is left behind. `type`: of the message, if it was one. */
  | (OfInstance & { readonly kind: 'left-behind'; readonly type: string | undefined })
  /** More messages wait than ever before: half of the capacity, or all of it. */
  | (OfInstance & { readonly kind: 'mailbox-high-water'; readonly waiting: number; readonly capacity: number })
  /** A mailbox, or a link to it, had no room for a message, which was refused or dropped; its sender may know. */
  | (OfInstance & { readonly kind: 'dropped'; readonly type: string; readonly reason: DeadLetterReason })
  /** A message that nobody was told of became a dead letter. */
  | (OfInstance & {
      readonly kind: 'dead-letter';
      readonly type: string;
      readonly reason: DeadLetterReason;
      /** Id of the dead letter. */
      readonly letter: string;
    })
  /** Events are durable. */
  | { readonly kind: 'committed'; readonly firstPosition: number; readonly lastPosition: number }
  /** A worker has taken its place, or that of one that was lost. */
  | { readonly kind: 'worker-ready'; readonly worker: number; readonly afterMs: number }
  /** The loop of a worker stood still for too long; it is ended. */
  | { readonly kind: 'worker-blocked'; readonly worker: number; readonly stillMs: number }
  /** A worker has ended although nobody had told it to. */
  | {
      readonly kind: 'worker-lost';
      readonly worker: number;
      readonly reason: 'exit' | 'error' | 'blocked' | 'heap';
      readonly error: Error;
    }
  /** A worker takes too much memory, and is replaced when it has come to rest. */
  | { readonly kind: 'worker-retired'; readonly worker: number; readonly because: string }
  /** A phase of `stop()` is over; `complete` is false when its time was up before it had finished. */
  | { readonly kind: 'stop-phase'; readonly phase: string; readonly ms: number; readonly complete: boolean };

/** What tells the facts apart. */
export type RuntimeFactKind = RuntimeFact['kind'];

/** Takes facts; it never throws. */
export interface FactSink {
  tell(fact: RuntimeFact): void;
}
