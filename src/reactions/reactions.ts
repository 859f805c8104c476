/**
 * All reactions of a system: brought to life from their records, watched, and stopped together.
 *
 * They share one set of deadlines for their asks. Retries and discards of parked events find their reaction by
 * the target of the dead letter.
 */
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import { Deadlines } from '../core/deadlines.js';
import { TroupeError } from '../core/troupe-error.js';
import type { RecordChange } from '../journal/journal.js';
import type { ParkedOwner } from './parked-letters.js';
import type { ParkedEvent } from './parking.js';
import type { RuntimeReaction } from './reaction-definition.js';
import { ReactionEngine, type ReactionNumbers } from './reaction-engine.js';
import { CHECKPOINT, REACTION_KEY, readCheckpoint, readKeyRecord } from './reaction-records.js';
import type { ReactionSurroundings } from './reaction-surroundings.js';

export interface ReactionsOptions extends ReactionSurroundings {
  readonly definitions: Iterable<RuntimeReaction>;
}

export class Reactions implements ParkedOwner {
  readonly #options: ReactionsOptions;
  readonly #engines = new Map<string, ReactionEngine>();
  readonly #deadlines: Deadlines;
  #stopping: Promise<void> | undefined;

  constructor(options: ReactionsOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock);
  }

  /** Reads where each reaction was, and lets them go on; the dead letters have to be loaded before. */
  async start(): Promise<void> {
    const { journal, deadLetters, definitions, log } = this.#options;
    const checkpoints = new Map<string, number>();
    for (const { key, value } of await journal.readRecords(CHECKPOINT)) checkpoints.set(key, readCheckpoint(value));
    const keys = (await journal.readRecords(REACTION_KEY)).map(({ value }) => readKeyRecord(value));
    const changes: RecordChange[] = [];
    for (const definition of definitions) {
      const { name } = definition;
      const found = { checkpoint: checkpoints.get(name), keys: keys.filter(({ reaction }) => reaction === name) };
      const engine = new ReactionEngine(this.#options, this.#deadlines, definition, found);
      this.#engines.set(name, engine);
      const { recovered } = engine;
      for (const warning of recovered.warnings) log.warn(warning);
      changes.push(...recovered.changes, ...recovered.redelivered.map((id) => deadLetters.erasure(id)));
    }
    if (changes.length > 0) await journal.writeRecords(changes);
    for (const engine of this.#engines.values()) {
      for (const id of engine.recovered.redelivered) deadLetters.forget(id);
      engine.start();
    }
  }

  /** Whether every reaction has come to the head and has nothing left to do. Parked keys don't count. */
  isSettled(head: number): boolean {
    for (const engine of this.#engines.values()) if (!engine.isSettled(head)) return false;
    return true;
  }

  metrics(): ReactionNumbers[] {
    return Array.from(this.#engines.values(), (engine) => engine.metrics());
  }

  /** Parked events: what needs a person. */
  problems(): ParkedEvent[] {
    return Array.from(this.#engines.values()).flatMap((engine) => engine.parked());
  }

  async retry(letter: DeadLetter, trace: DeadLetterTrace): Promise<void> {
    const engine = this.#engines.get(letter.target.name);
    if (engine !== undefined) return engine.retry(letter, trace);
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `dead letter ${letter.id}: there is no reaction ${letter.target.name} any more; export it from the cast, or discard the letter`,
      { details: { id: letter.id, reaction: letter.target.name } },
    );
  }

  async discard(letter: DeadLetter): Promise<void> {
    const engine = this.#engines.get(letter.target.name);
    if (engine !== undefined) return engine.discard(letter);
    // Should the reaction come back, it finds its key without a letter, and goes on behind the event.
    const { journal, deadLetters } = this.#options;
    await journal.writeRecords([deadLetters.erasure(letter.id)]);
    deadLetters.forget(letter.id);
  }

  /**
   * Takes no more events; those being handled get until the deadline. What isn't finished then is delivered again
   * at the next start. A second call waits for the first.
   */
  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#stop(timeoutMs);
    return this.#stopping;
  }

  async #stop(timeoutMs: number): Promise<void> {
    const { elsewhere } = this.#options;
    elsewhere?.stop('ending');
    await Promise.all(Array.from(this.#engines.values(), (engine) => engine.stop(timeoutMs)));
    elsewhere?.stop('over');
    this.#deadlines.clear();
  }
}
