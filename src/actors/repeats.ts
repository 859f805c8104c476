/**
 * Repeats of commands: recognised by their ids, and answered with the first outcome (API.md, Dedupe).
 *
 * A repeat of a command that is being committed waits for it; any other rests on everything decided so far, like every
 * answer. The same id with another type or payload is refused. What an instance remembers stands in
 * `command-memory.ts`; where that only has a suspicion, the journal is asked.
 */
import type { Envelope } from '../core/envelope.js';
import { LIMITS } from '../core/limits.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import type { CellJournal, HashesNear, StoredOutcome } from '../journal/journal.js';
import type { Answers } from './answers.js';
import { AppendedEvents, type AppendTarget, type AppendVerdict } from './appended-events.js';
import type { CommandEntry } from './command-entry.js';
import { CommandMemory } from './command-memory.js';
import { fingerprintOf } from './decide.js';
import type { Speculation } from './speculation.js';
import type { AppendRequest } from './system-request.js';
import { idReused } from './undeliverable.js';

/** What the journal says of an id: its outcome, none, or that it can't be asked. */
export type Finding = { readonly stored: StoredOutcome | undefined } | { readonly error: unknown };

export class Repeats {
  readonly #journal: CellJournal;
  readonly #answers: Answers;
  readonly #speculation: Speculation;
  readonly #memory = new CommandMemory();
  readonly #appended: AppendedEvents;

  constructor(around: { readonly journal: CellJournal; readonly answers: Answers }, speculation: Speculation) {
    this.#journal = around.journal;
    this.#answers = around.answers;
    this.#speculation = speculation;
    this.#appended = new AppendedEvents(around.journal, this.#memory);
  }

  /** @param hashes of the ids that the journal knows */
  load(hashes: readonly HashesNear[]): void {
    this.#memory.load(hashes);
    this.#appended.load();
  }

  /** A command whose outcome is on its way to the journal. */
  underWay(entry: CommandEntry): void {
    if (entry.explicitId) this.#memory.underWay(entry);
    if (entry.eventIds !== undefined) this.#appended.underWay(entry);
  }

  /** Its outcome is durable. */
  settled(entry: CommandEntry): void {
    if (entry.explicitId) this.#memory.settled(entry, entry.outcome);
    if (entry.eventIds !== undefined) this.#appended.settled(entry);
  }

  /** Whether no event of an append has come before, for all that memory knows; else `lookUpEvents`. */
  isNewAppend(target: AppendTarget, request: AppendRequest, version: number): boolean {
    return this.#appended.isNew(target, request, version);
  }

  /** What the journal knows of the events of an append. The promise doesn't reject. */
  lookUpEvents(
    target: AppendTarget,
    request: AppendRequest,
    upcoming: (ahead: number) => Envelope | undefined,
  ): Promise<AppendVerdict> {
    return this.#appended.lookUp(target, request, upcoming);
  }

  /** Answers an append by what `lookUpEvents` has found; `new` when that is nothing. */
  answerAppend(envelope: Envelope, verdict: AppendVerdict): 'new' | 'answered' {
    if (verdict === 'new') return 'new';
    this.#speculation.hold(envelope, () => {
      if ('refusal' in verdict) this.#answers.fail(envelope, verdict.refusal);
      else this.#answers.reply(envelope, undefined, verdict.position, verdict.version);
    });
    return 'answered';
  }

  /** Answers a repeat that is known as one. `perhaps`: its id may be in the journal, see `lookUp`. */
  recognise(envelope: Envelope, id: string): 'new' | 'answered' | 'perhaps' {
    if (!this.#memory.mayBeKnown(id)) return 'new';
    const entry = this.#memory.entryOf(id);
    if (entry !== undefined) return this.#join(envelope, entry);
    const stored = this.#memory.outcomeOf(id);
    return stored === undefined ? 'perhaps' : this.#repeat(envelope, stored);
  }

  /**
   * Asks the journal. Repeats come in rows (a source that sends all again, a reaction after a crash), so the ones behind
   * are looked up along with it: one query for all. The promise doesn't reject.
   *
   * @param upcoming the message that will be taken after so many others
   */
  async lookUp(
    aggregate: string,
    aggregateId: string,
    id: string,
    upcoming: (ahead: number) => Envelope | undefined,
  ): Promise<Finding> {
    const finding = this.#find(aggregate, aggregateId, id, this.#memory.storedNear(id));
    const others: Promise<void>[] = [];
    for (let ahead = 0; ahead < LIMITS.recentOutcomesPerInstance - 1; ahead += 1) {
      const next = upcoming(ahead)?.commandId;
      if (next === undefined || next === id) break;
      const near = this.#memory.storedNear(next);
      if (near.length === 0) break;
      if (this.#memory.entryOf(next) !== undefined) continue;
      others.push(this.#find(aggregate, aggregateId, next, near).then((found) => this.#remember(next, found)));
    }
    await Promise.all(others);
    return finding;
  }

  /** Answers by what `lookUp` has found; `new` when that is nothing. */
  answer(envelope: Envelope, id: string, finding: Finding): 'new' | 'answered' {
    if ('error' in finding) {
      this.#answers.fail(envelope, lookUpFailed(envelope, finding.error));
      return 'answered';
    }
    if (finding.stored === undefined) return 'new';
    this.#remember(id, finding);
    return this.#repeat(envelope, finding.stored);
  }

  /** An error will be met again when it is the turn of that message. */
  #remember(id: string, finding: Finding): void {
    if ('stored' in finding && finding.stored !== undefined) this.#memory.remember(id, finding.stored);
  }

  #find(aggregate: string, aggregateId: string, id: string, near: readonly number[]): Promise<Finding> {
    return this.#journal.findOutcome(aggregate, aggregateId, id, near).then(
      (stored) => ({ stored }),
      (error: unknown) => ({ error }),
    );
  }

  #join(envelope: Envelope, entry: CommandEntry): 'answered' {
    if (entry.fingerprint !== fingerprintOf(envelope)) return this.#refuseReused(envelope);
    this.#speculation.follow(entry, envelope, () => this.#answers.outcome(envelope, entry.outcome));
    return 'answered';
  }

  #repeat(envelope: Envelope, stored: StoredOutcome): 'answered' {
    if (stored.fingerprint !== fingerprintOf(envelope)) return this.#refuseReused(envelope);
    this.#speculation.hold(envelope, () => this.#answers.outcome(envelope, stored.outcome));
    return 'answered';
  }

  #refuseReused(envelope: Envelope): 'answered' {
    const error = idReused(envelope);
    this.#speculation.hold(envelope, () => this.#answers.fail(envelope, error));
    return 'answered';
  }
}

function lookUpFailed(envelope: Envelope, error: unknown): TroupeError {
  if (isTroupeError(error)) return error;
  const { target, targetId, type, commandId } = envelope;
  return new TroupeError(
    'TROUPE_ACTOR_FAILED',
    `${target}/${targetId}: whether ${type} repeats ${String(commandId)} could not be looked up`,
    { cause: error },
  );
}
