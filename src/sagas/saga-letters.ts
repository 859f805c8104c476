/**
 * Dead letters of sagas: a compensation that can't succeed, or a replay that diverged, and what a person does about it.
 *
 * While somebody is at one the saga is held in memory; otherwise a parked saga needs none.
 */
import { describeError } from '../actors/undeliverable.js';
import type { Clock } from '../core/clock.js';
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import { TroupeError } from '../core/troupe-error.js';
import { toWireError } from '../core/wire-error.js';
import type { Journal } from '../journal/journal.js';
import type { ParkedLetters } from '../reactions/parked-letters.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import type { LetterOfRun } from './run-surroundings.js';
import type { SagaMemory } from './saga-memory.js';
import { type EndedHead, nameIn, sagaKey } from './saga-records.js';
import type { SagaRun } from './saga-run.js';

export interface SagaLettersOptions {
  readonly journal: Journal;
  readonly letters: ParkedLetters;
  readonly memory: SagaMemory;
  readonly clock: Clock;
  readonly warnings: ThrottledLog;
  readonly bring: (key: string) => Promise<SagaRun | undefined>;
  readonly ended: (run: SagaRun, end: EndedHead) => void;
}

export class SagaLetters {
  readonly #options: SagaLettersOptions;
  /** Sagas that somebody is at. */
  readonly #held = new Set<string>();

  constructor(options: SagaLettersOptions) {
    this.#options = options;
  }

  /** A run is parked: unless somebody is at it, it leaves memory. */
  parked(run: SagaRun): void {
    if (!this.#held.has(run.key)) this.#options.memory.shelve(run);
  }

  /** Keeps that a replay went another way. */
  diverged(run: SagaRun, error: TroupeError): void {
    const { letters, journal, warnings } = this.#options;
    const draft = letters.draft(
      {
        id: `parked>${run.key}>diverged`,
        target: { name: run.definition.name, id: run.id },
        type: 'diverged',
        payload: error.details,
        error: describeError(error),
      },
      { correlationId: run.head.correlationId, causationId: run.head.causationId },
    );
    letters.keep(draft);
    journal.writeRecords([draft.record]).catch((failure: unknown) => {
      // The next replay diverges again, and writes it then.
      warnings.write('write failed', `saga ${run.key}: that it diverged could not be written`, { error: failure });
    });
  }

  /** What a compensation that can't succeed leaves. */
  letterOf(run: SagaRun, index: number, name: string, error: TroupeError, refusedId: string | undefined): LetterOfRun {
    const { letters } = this.#options;
    const draft = letters.draft(
      {
        id: letterId(run.key, index),
        target: { name: run.definition.name, id: run.id },
        type: name,
        payload: { compensation: index, name },
        error: describeError(error),
      },
      {
        commandId: refusedId,
        correlationId: run.head.correlationId,
        causationId: run.head.causationId,
        metadata: run.head.metadata,
      },
    );
    return { record: [draft.record], keep: () => letters.keep(draft) };
  }

  /** Runs a parked compensation again, or a diverged replay. */
  async retry(letter: DeadLetter, trace: DeadLetterTrace): Promise<void> {
    const { memory, bring } = this.#options;
    const { run, index } = await this.#runOf(letter);
    if (index !== undefined) {
      await run.retryParked(index, letter, trace);
      return this.#letGo(run);
    }
    // The next replay has to find that it was cancelled meanwhile.
    await run.durable();
    memory.forget(run);
    const again = await bring(run.key);
    if (again !== undefined) await again.settledReplay();
    if (again?.hasDiverged !== true) await this.#erase(letter.id);
  }

  /** Gives a parked compensation up, or a diverged saga as it stands, without compensation. */
  async discard(letter: DeadLetter): Promise<void> {
    const { clock, journal, letters, ended } = this.#options;
    const { run, index } = await this.#runOf(letter);
    if (index !== undefined) {
      await run.discardParked(index, letter.id);
      return this.#letGo(run);
    }
    const { head } = run;
    const end: EndedHead = {
      run: head.run,
      generation: head.generation,
      startedAt: head.startedAt,
      endedAt: clock.now(),
      state: 'failed',
      error: toWireError(run.error),
    };
    await journal.writeRecords([...run.endRecords(end), letters.erasure(letter.id)]);
    letters.forget(letter.id);
    run.leave();
    ended(run, end);
  }

  /** A saga that is parked, and has no letter any more: somebody has discarded it while the system was down. */
  async giveUp(key: string): Promise<void> {
    const { memory, bring } = this.#options;
    this.#held.add(key);
    const run = await bring(key);
    if (run === undefined) {
      this.#held.delete(key);
      return;
    }
    await memory.untilRested(run);
    await this.#letGo(run);
  }

  /** Of the sagas that are parked those without a letter by which a person could help them. */
  withoutLetter(keys: readonly string[]): string[] {
    const names = new Set(keys.map(nameIn));
    const lettered = new Set(
      [...names].flatMap((name) =>
        this.#options.letters.parkedOf(name).map(({ letter }) => sagaKey(name, letter.target.id)),
      ),
    );
    return keys.filter((key) => !lettered.has(key));
  }

  /** The run that a letter is about, standing still; `index` of its compensation, undefined when it diverged. */
  async #runOf(letter: DeadLetter): Promise<{ readonly run: SagaRun; readonly index: number | undefined }> {
    const { name, id } = letter.target;
    const key = sagaKey(name, id);
    this.#held.add(key);
    const run = await this.#options.bring(key);
    if (run === undefined) {
      this.#held.delete(key);
      await this.#erase(letter.id);
      throw new TroupeError('TROUPE_INVALID_OPTIONS', `saga ${key} has ended; its dead letter ${letter.id} is void`);
    }
    await this.#options.memory.untilRested(run);
    // Written by `letterOf` and `diverged`.
    const { compensation } = letter.payload as { readonly compensation?: number };
    return { run, index: compensation };
  }

  /** Nobody is at the run any more; compensations whose letters are gone are given up. */
  async #letGo(run: SagaRun): Promise<void> {
    const lettered = new Set(this.#options.letters.parkedOf(run.definition.name).map(({ letter }) => letter.id));
    for (const index of run.parkedCompensations) {
      if (!lettered.has(letterId(run.key, index))) await run.discardParked(index, undefined);
    }
    this.#held.delete(run.key);
    if (!run.isGone && run.status().state === 'parked') this.#options.memory.shelve(run);
  }

  async #erase(letterId: string): Promise<void> {
    const { journal, letters } = this.#options;
    await journal.writeRecords([letters.erasure(letterId)]);
    letters.forget(letterId);
  }
}

function letterId(key: string, index: number): string {
  return `parked>${key}>${index}`;
}
