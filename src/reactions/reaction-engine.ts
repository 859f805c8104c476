/**
 * One reaction: its parts, where it goes on after a start, and how it ends.
 *
 * An event is finished when an attempt was good, or when it is parked; only then may the checkpoint pass it. Who
 * brings events to their handlers is `lane-runner.ts`; what each write means for a crash stands in
 * `reaction-records.ts` and `checkpoint-plan.ts`, and what follows from it in `reaction-recovery.ts`.
 */
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import type { Deadlines } from '../core/deadlines.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import { EventFeed } from '../streams/event-feed.js';
import { ThrottledLog } from '../streams/throttled-log.js';
import { LocalAttempts } from './attempt-runner.js';
import { DistantAttempts } from './distant-attempts.js';
import { DurableRecords } from './durable-records.js';
import { EventKeys } from './event-keys.js';
import { EventSource } from './event-source.js';
import { concerns } from './handler-of.js';
import { KeyLane } from './key-lane.js';
import { LaneRefill } from './lane-refill.js';
import { LaneRunner } from './lane-runner.js';
import { LaneTable } from './lane-table.js';
import { LetterFence } from './letter-fence.js';
import { type ParkedEvent, Parking } from './parking.js';
import { Pauses } from './pauses.js';
import { ReactionCheckpoint } from './reaction-checkpoint.js';
import type { RuntimeReaction } from './reaction-definition.js';
import { type Recovered, recoverReaction } from './reaction-recovery.js';
import type { KeyRecord } from './reaction-records.js';
import { reactionStopped } from './reaction-stopped.js';
import type { ReactionSurroundings } from './reaction-surroundings.js';

/** What a reaction says of itself. */
export interface ReactionNumbers {
  readonly name: string;
  /** Events up to here are finished or parked, or wait behind a parked one. */
  readonly position: number;
  /** Positions from there to the head. */
  readonly lag: number;
  /** Events being handled or in backoff. */
  readonly inFlight: number;
  readonly parkedKeys: number;
}

export class ReactionEngine {
  readonly name: string;
  /** Where this run begins, and what has to be durable before `start`. */
  readonly recovered: Recovered;
  readonly definition: RuntimeReaction;
  readonly #around: ReactionSurroundings;
  readonly #lanes = new LaneTable();
  readonly #source: EventSource;
  readonly #checkpoint: ReactionCheckpoint;
  readonly #parking: Parking;
  readonly #runner: LaneRunner;
  readonly #pauses: Pauses;
  readonly #warnings: ThrottledLog;
  readonly #abort = new AbortController();
  #unfollow: (() => void) | undefined;
  /** Parked events being read for a retry. */
  #fetching = 0;

  constructor(
    around: ReactionSurroundings,
    deadlines: Deadlines,
    definition: RuntimeReaction,
    found: { readonly checkpoint: number | undefined; readonly keys: readonly KeyRecord[] },
  ) {
    const { options } = definition;
    const name = options.durableName;
    const { journal, clock, log, deadLetters: letters, post, askTimeoutMs, present, elsewhere } = around;
    const { signal } = this.#abort;
    this.name = definition.name;
    this.definition = definition;
    this.#around = around;
    this.#pauses = new Pauses(clock);
    this.#warnings = new ThrottledLog(log, clock, 'warn');
    const keys = new EventKeys(name, options, present);
    const { ordering } = keys;
    const holds = options.whenParked === 'hold-key';
    this.recovered = recoverReaction(
      { ...found, letters: new Map(letters.parkedOf(name).map(({ letter }) => [letter.id, letter.position ?? 0])) },
      { name, from: options.from, holds, ordering, head: journal.head },
    );
    for (const lane of this.recovered.lanes) this.#lanes.add(lane);
    const { position } = this.recovered;
    const fence = new LetterFence(letters);
    const shared = {
      name,
      ordering,
      letters,
      fence,
      clock,
      journal,
      keys,
      lanes: this.#lanes,
      pauses: this.#pauses,
      warnings: this.#warnings,
    };
    const types = options.unknownEvents === 'fail' ? undefined : [...options.on.keys()];
    const wanted = types === undefined ? undefined : new Set(types);
    const feed = new EventFeed(around.window, journal, { after: position, types: wanted });
    this.#source = new EventSource(feed, { ...shared, wake: () => this.#runner.wake() });
    const taken = (): number => this.#source.taken;
    const rest = (lane: KeyLane): void => this.#runner.rest(lane);
    this.#checkpoint = new ReactionCheckpoint({ ...shared, taken }, position);
    this.#parking = new Parking({ ...shared, holds, records: new DurableRecords(shared), written: rest });
    this.#runner = new LaneRunner({
      ...shared,
      options,
      concerns: (event) => concerns(options, event),
      source: this.#source,
      checkpoint: this.#checkpoint,
      parking: this.#parking,
      refill: new LaneRefill({
        ...shared,
        types,
        taken,
        concerns: (event) => concerns(options, event),
        refilled: rest,
      }),
      attempts: (owner) =>
        elsewhere === undefined
          ? new LocalAttempts({ ...shared, options, present, post, deadlines, log, askTimeoutMs, signal }, owner)
          : new DistantAttempts({ ...shared, name: definition.name, elsewhere }, owner),
    });
  }

  /** Begins to handle events; what an earlier run has left comes first. */
  start(): void {
    this.#unfollow = this.#around.window.follow(() => this.#runner.wake());
    this.#runner.start();
  }

  /** Whether everything up to the head is finished or parked, and nobody waits for a retry. */
  isSettled(head: number): boolean {
    return this.#lanes.active === 0 && this.#fetching === 0 && this.#source.atHead && this.#source.taken >= head;
  }

  metrics(): ReactionNumbers {
    const position = Math.min(this.#source.taken, this.#lanes.unfinishedFrom - 1);
    const inFlight = this.#lanes.count('running') + this.#lanes.count('backing-off');
    const lag = Math.max(0, this.#around.window.head - position);
    return { name: this.name, position, lag, inFlight, parkedKeys: this.#parking.keys };
  }

  parked(): readonly ParkedEvent[] {
    return this.#parking.list().map((one) => ({ ...one, name: this.name }));
  }

  /** Handles a parked event again; resolves when it is good, or parked again. */
  async retry(letter: DeadLetter, trace: DeadLetterTrace): Promise<void> {
    const { position = 0, type } = letter;
    const { on, unknownEvents } = this.definition.options;
    if (!on.has(type) && unknownEvents === 'skip') {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `reaction ${this.name} handles no ${type} any more; put its handler back, or discard the dead letter`,
        { details: { reaction: this.name, type, position } },
      );
    }
    this.#fetching += 1;
    try {
      const page = await this.#around.journal.read({ after: position - 1, limit: 1, types: [type] });
      const event = page.events[0];
      if (event?.position !== position) {
        throw new TroupeError('TROUPE_JOURNAL_CORRUPT', `the journal has no ${type} at position ${position}`);
      }
      return this.#giveJob(letter, trace, event);
    } finally {
      this.#fetching -= 1;
    }
  }

  /** Gives a parked event up. */
  discard(letter: DeadLetter): Promise<void> {
    return this.#giveJob(letter, {}, undefined);
  }

  /** Takes no more events, gives those being handled until the deadline, and writes the last checkpoint. */
  async stop(timeoutMs: number, why = reactionStopped(this.name)): Promise<void> {
    this.#unfollow?.();
    this.#abort.abort(why);
    const deadline = new Pauses(this.#around.clock);
    await Promise.race([this.#runner.drain(), deadline.wait(timeoutMs)]);
    deadline.end();
    this.#runner.abandon(why);
    this.#pauses.end();
    await this.#checkpoint.stop();
    this.#warnings.close();
  }

  #giveJob(letter: DeadLetter, trace: DeadLetterTrace, event: RecordedEvent | undefined): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.reject(reactionStopped(this.name));
    const key = letter.target.id;
    const lane = this.#lanes.get(key) ?? this.#lanes.add(new KeyLane(key));
    return new Promise((resolve, reject) => {
      lane.addJob({ letter, trace, event, done: resolve, failed: reject });
      this.#runner.offered(lane);
    });
  }
}
