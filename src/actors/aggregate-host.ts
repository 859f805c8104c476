/**
 * All living instances of one aggregate definition on this thread.
 *
 * Instances come to life with their first message and leave memory when nothing has come for a while
 * (passivation); their state stays in the journal. The order of last use is kept in a linked list, so that looking
 * for idle ones costs nothing per living one.
 */
import type { DeadLetterSink } from '../core/dead-letter.js';
import type { Envelope } from '../core/envelope.js';
import { HandlingMark } from '../core/handling-mark.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { nextHighWater } from '../mailbox/high-water.js';
import type { FactSink } from '../core/runtime-fact.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Timer } from '../core/clock.js';
import { AggregateCell, type CellSurroundings } from './aggregate-cell.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { Answers } from './answers.js';
import { failEnvelope } from './undeliverable.js';

/** Looks for idle instances this many times within the time after which they leave. */
const SWEEPS = 4;

/** What a host takes from the thread it lives on. */
export interface HostSurroundings extends Omit<CellSurroundings, 'answers' | 'mark' | 'skipped'> {
  readonly facts: FactSink;
  readonly deadLetters: DeadLetterSink;
  /** Default: one that nobody reads. */
  readonly mark?: HandlingMark | undefined;
}

export class AggregateHost {
  readonly definition: RuntimeAggregate;
  readonly #deadLetters: DeadLetterSink;
  readonly #facts: FactSink;
  readonly #answers: Answers;
  readonly #around: CellSurroundings;
  readonly #cells = new Map<string, AggregateCell>();
  #newest: AggregateCell | undefined;
  #oldest: AggregateCell | undefined;
  #sweep: Timer | undefined;
  #eventsSkipped = 0;
  readonly #typesSkipped = new Set<string>();

  constructor(around: HostSurroundings, definition: RuntimeAggregate) {
    const { deadLetters, facts, mark = new HandlingMark(), ...shared } = around;
    this.definition = definition;
    this.#deadLetters = deadLetters;
    this.#facts = facts;
    this.#answers = new Answers(deadLetters);
    this.#around = { ...shared, mark, answers: this.#answers, skipped: (event) => this.#skip(event) };
  }

  /** Instances in memory. */
  get size(): number {
    return this.#cells.size;
  }

  /** Messages taken and not yet answered, those whose outcome is being committed included. */
  get unfinished(): number {
    return this.#answers.open;
  }

  /** Messages that have got their answer since the start. */
  get handled(): number {
    return this.#answers.given;
  }

  /** Recorded events of unknown types passed over since the start, again with each recovery. */
  get eventsSkipped(): number {
    return this.#eventsSkipped;
  }

  deliver(envelope: Envelope): void {
    const cell = this.#cells.get(envelope.targetId) ?? this.#create(envelope.targetId);
    this.#touch(cell);
    const offer = cell.mailbox.offer(envelope);
    if (offer === 'taken') {
      if (cell.mailbox.size >= cell.highWater) this.#rise(cell);
      this.#answers.expect();
      envelope.sink?.taken?.();
      cell.wake();
    } else if (offer === 'waiting') {
      this.#answers.expect();
    } else {
      this.#overflowed(envelope, offer);
    }
  }

  /** Takes back a message that still waits for room. */
  withdraw(envelope: Envelope): boolean {
    const found = this.#cells.get(envelope.targetId)?.mailbox.withdraw(envelope) ?? false;
    if (found) this.#answers.withdraw();
    return found;
  }

  /** Everything that waits fails with `error`, and nothing stays in memory. */
  end(error: TroupeError): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    for (const cell of this.#cells.values()) cell.end(error);
    this.#cells.clear();
    this.#newest = undefined;
    this.#oldest = undefined;
  }

  #overflowed(envelope: Envelope, offer: 'refused' | 'dropped-newest' | { readonly droppedOldest: Envelope }): void {
    const { target: name, targetId: id, type } = typeof offer === 'object' ? offer.droppedOldest : envelope;
    const reason = offer === 'refused' ? 'mailbox-full' : offer === 'dropped-newest' ? offer : 'dropped-oldest';
    this.#facts.tell({ kind: 'dropped', name, id, type, reason });
    if (offer === 'refused') return failEnvelope(this.#deadLetters, envelope, this.#full(envelope, undefined));
    if (offer === 'dropped-newest') return failEnvelope(this.#deadLetters, envelope, this.#full(envelope, 'newest'));
    // The newcomer takes the place of the one that is dropped.
    this.#answers.expect();
    this.#answers.fail(offer.droppedOldest, this.#full(offer.droppedOldest, 'oldest'));
    envelope.sink?.taken?.();
  }

  #rise(cell: AggregateCell): void {
    const { name, options } = this.definition;
    const { capacity } = options.mailbox;
    const waiting = cell.mailbox.size;
    cell.highWater = nextHighWater(capacity, waiting);
    this.#facts.tell({ kind: 'mailbox-high-water', name, id: cell.id, waiting, capacity });
  }

  #full(envelope: Envelope, dropped: 'oldest' | 'newest' | undefined): TroupeError {
    const what = dropped === undefined ? 'is refused' : `is dropped (overflow: drop-${dropped})`;
    const { capacity } = this.definition.options.mailbox;
    return new TroupeError(
      'TROUPE_MAILBOX_FULL',
      `${envelope.target}/${envelope.targetId}: the mailbox is full (${capacity} messages), ${envelope.type} ${what}; ` +
        'use send() to wait for room, or a larger mailbox.capacity',
      { details: { aggregate: envelope.target, id: envelope.targetId, type: envelope.type, capacity, dropped } },
    );
  }

  /** Counted each time, told of once for each type: there may be as many as there are instances. */
  #skip({ aggregateId, type, version, position }: RecordedEvent): void {
    this.#eventsSkipped += 1;
    if (this.#typesSkipped.has(type)) return;
    this.#typesSkipped.add(type);
    const place = `${this.definition.name}/${aggregateId}, version ${version}, position ${position}`;
    this.#around.log.warn(
      `${place}: event ${type} is not defined and is skipped; further ones of its type are counted`,
    );
  }

  #create(id: string): AggregateCell {
    const cell = new AggregateCell(this.#around, this.definition, id);
    this.#cells.set(id, cell);
    this.#planSweep();
    return cell;
  }

  // Passivation

  #planSweep(): void {
    const { passivateAfterMs } = this.definition.options;
    if (this.#sweep !== undefined || !Number.isFinite(passivateAfterMs)) return;
    this.#sweep = this.#around.clock.setTimer(Math.max(1, passivateAfterMs / SWEEPS), () => this.#passivate(), true);
  }

  #passivate(): void {
    this.#sweep = undefined;
    const unusedSinceMs = this.#around.clock.monotonic() - this.definition.options.passivateAfterMs;
    let cell = this.#oldest;
    while (cell !== undefined && cell.lastUsedMs <= unusedSinceMs) {
      const newer: AggregateCell | undefined = cell.newer;
      if (cell.idle) {
        this.#unlink(cell);
        this.#cells.delete(cell.id);
        cell.leave();
      }
      cell = newer;
    }
    if (this.#cells.size > 0) this.#planSweep();
  }

  #touch(cell: AggregateCell): void {
    cell.lastUsedMs = this.#around.clock.monotonic();
    if (this.#newest === cell) return;
    this.#unlink(cell);
    cell.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = cell;
    this.#newest = cell;
    this.#oldest ??= cell;
  }

  #unlink(cell: AggregateCell): void {
    if (cell.newer !== undefined) cell.newer.older = cell.older;
    else if (this.#newest === cell) this.#newest = cell.older;
    if (cell.older !== undefined) cell.older.newer = cell.newer;
    else if (this.#oldest === cell) this.#oldest = cell.newer;
    cell.newer = undefined;
    cell.older = undefined;
  }
}
