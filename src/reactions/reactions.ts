/**
 * All reactions of a system: brought to life from their records, watched, and stopped together.
 *
 * They share one set of deadlines for their asks. Retries and discards of parked events find their reaction by
 * the target of the dead letter.
 */
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import { Deadlines } from '../core/deadlines.js';
import { LIMITS } from '../core/limits.js';
import { TroupeError } from '../core/troupe-error.js';
import type { RecordChange } from '../journal/journal.js';
import { backoffMs } from './backoff.js';
import type { ParkedOwner } from './parked-letters.js';
import type { ParkedEvent } from './parking.js';
import { Pauses } from './pauses.js';
import type { RuntimeReaction } from './reaction-definition.js';
import { ReactionEngine, type ReactionNumbers } from './reaction-engine.js';
import { CHECKPOINT, REACTION_KEY, readCheckpoint, readKeyRecord } from './reaction-records.js';
import { planReplay } from './reaction-replay.js';
import { reactionStopped } from './reaction-stopped.js';
import type { ReactionSurroundings } from './reaction-surroundings.js';

export interface ReactionsOptions extends ReactionSurroundings {
  readonly definitions: Iterable<RuntimeReaction>;
}

/** What the journal holds of one reaction. */
type FoundRecords = ConstructorParameters<typeof ReactionEngine>[3];

export class Reactions implements ParkedOwner {
  readonly #options: ReactionsOptions;
  readonly #engines = new Map<string, ReactionEngine>();
  readonly #deadlines: Deadlines;
  readonly #replays = new Map<string, Promise<void>>();
  #stopping: Promise<void> | undefined;

  constructor(options: ReactionsOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock);
  }

  /** Reads where each reaction was, and lets them go on; the dead letters have to be loaded before. */
  async start(): Promise<void> {
    const { journal, deadLetters, definitions, log } = this.#options;
    const recordsOf = await this.#readRecords();
    const changes: RecordChange[] = [];
    for (const definition of definitions) {
      const { name } = definition;
      const engine = new ReactionEngine(
        this.#options,
        this.#deadlines,
        definition,
        recordsOf(definition.options.durableName),
      );
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

  /** What the journal holds of all reactions, by name. */
  async #readRecords(): Promise<(name: string) => FoundRecords> {
    const { journal } = this.#options;
    const checkpoints = new Map<string, number>();
    for (const { key, value } of await journal.readRecords(CHECKPOINT)) checkpoints.set(key, readCheckpoint(value));
    const keys = (await journal.readRecords(REACTION_KEY)).map(({ value }) => readKeyRecord(value));
    return (name) => ({
      checkpoint: checkpoints.get(name),
      keys: keys.filter(({ reaction }) => reaction === name),
    });
  }

  /**
   * Lets a reaction go back: stops it, writes its new place, and lets it go on from there. Replays of one reaction come
   * one after the other. When the write fails it goes on where it was.
   */
  replay(name: string, from: number, timeoutMs: number): Promise<void> {
    const before = this.#replays.get(name) ?? Promise.resolve();
    const replay = before.catch(() => undefined).then(() => this.#replay(name, from, timeoutMs));
    this.#replays.set(name, replay);
    const done = (): void => {
      if (this.#replays.get(name) === replay) this.#replays.delete(name);
    };
    replay.then(done, done);
    return replay;
  }

  async #replay(name: string, from: number, timeoutMs: number): Promise<void> {
    const { journal, deadLetters, log } = this.#options;
    const engine = this.#engines.get(name);
    if (engine === undefined || this.#stopping !== undefined) throw reactionStopped(name);
    await engine.stop(timeoutMs, goingBack(name, from));
    try {
      if (this.#stopping !== undefined) throw reactionStopped(name);
      await deadLetters.flushed();
      const { durableName } = engine.definition.options;
      const letters = new Map(deadLetters.parkedOf(durableName).map(({ letter }) => [letter.id, letter.position ?? 0]));
      const plan = planReplay(durableName, { ...(await this.#readRecords())(durableName), letters }, from);
      await journal.writeRecords([...plan.changes, ...plan.redelivered.map((id) => deadLetters.erasure(id))]);
      for (const id of plan.redelivered) deadLetters.forget(id);
      log.info(`reaction ${name}: handles its events again from position ${from} on`);
    } finally {
      await this.#goOn(engine);
    }
  }

  /** A new life of a reaction, from what is durable; tried until that can be read. */
  async #goOn({ name, definition }: ReactionEngine): Promise<void> {
    const { clock, log } = this.#options;
    const pauses = new Pauses(clock);
    for (let failures = 1; this.#stopping === undefined; failures += 1) {
      try {
        const found = (await this.#readRecords())(definition.options.durableName);
        if (this.#stopping !== undefined) return;
        const engine = new ReactionEngine(this.#options, this.#deadlines, definition, found);
        this.#engines.set(name, engine);
        return engine.start();
      } catch (error) {
        log.error(`reaction ${name}: where it stands can't be read; trying again`, { error });
        await pauses.wait(backoffMs(failures, LIMITS.loadBackoffMinMs, LIMITS.loadBackoffMaxMs));
      }
    }
  }

  /** Whether every reaction has come to the head and has nothing left to do. Parked keys don't count. */
  isSettled(head: number): boolean {
    if (this.#replays.size > 0) return false;
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

  /** Who parked the event of a letter, by the name that its records go by. */
  #engineOf({ target }: DeadLetter): ReactionEngine | undefined {
    return Array.from(this.#engines.values()).find(({ definition }) => definition.options.durableName === target.name);
  }

  async retry(letter: DeadLetter, trace: DeadLetterTrace): Promise<void> {
    const engine = this.#engineOf(letter);
    if (engine !== undefined) return engine.retry(letter, trace);
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `dead letter ${letter.id}: there is no reaction ${letter.target.name} any more; export it from the cast, or discard the letter`,
      { details: { id: letter.id, reaction: letter.target.name } },
    );
  }

  async discard(letter: DeadLetter): Promise<void> {
    const engine = this.#engineOf(letter);
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

function goingBack(name: string, from: number): TroupeError {
  return new TroupeError(
    'TROUPE_SYSTEM_STOPPED',
    `reaction ${name} is going back to position ${from}; try again when it goes on`,
  );
}
