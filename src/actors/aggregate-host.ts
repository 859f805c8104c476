/**
 * All living instances of one aggregate definition on this thread.
 *
 * Instances come to life with their first message and leave memory when nothing has come for a while
 * (passivation); their state stays in the journal. The order of last use is kept in a linked list, so that looking
 * for idle ones costs nothing per living one.
 */
import type { Envelope } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Timer } from '../core/clock.js';
import { AggregateCell, type CellSurroundings } from './aggregate-cell.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { failEnvelope, toDeadLetters } from './undeliverable.js';

/** Looks for idle instances this many times within the time after which they leave. */
const SWEEPS = 4;

export class AggregateHost {
  readonly definition: RuntimeAggregate;
  readonly #around: CellSurroundings;
  readonly #cells = new Map<string, AggregateCell>();
  #newest: AggregateCell | undefined;
  #oldest: AggregateCell | undefined;
  #sweep: Timer | undefined;
  #unfinished = 0;
  #handled = 0;

  constructor(around: Omit<CellSurroundings, 'finished'>, definition: RuntimeAggregate) {
    this.definition = definition;
    this.#around = {
      ...around,
      finished: () => {
        this.#unfinished -= 1;
        this.#handled += 1;
      },
    };
  }

  /** Instances in memory. */
  get size(): number {
    return this.#cells.size;
  }

  /** Messages taken and not yet answered, those whose outcome is being committed included. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /** Messages that have got their answer since the start. */
  get handled(): number {
    return this.#handled;
  }

  deliver(envelope: Envelope): void {
    const cell = this.#cells.get(envelope.targetId) ?? this.#create(envelope.targetId);
    this.#touch(cell);
    const offer = cell.mailbox.offer(envelope);
    if (offer === 'taken') {
      this.#unfinished += 1;
      envelope.sink?.taken?.();
      cell.wake();
    } else if (offer === 'waiting') {
      this.#unfinished += 1;
    } else {
      this.#overflowed(envelope, offer);
    }
  }

  /** Takes back a message that still waits for room. */
  withdraw(envelope: Envelope): boolean {
    const found = this.#cells.get(envelope.targetId)?.mailbox.withdraw(envelope) ?? false;
    if (found) this.#unfinished -= 1;
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
    const { deadLetters } = this.#around;
    if (offer === 'refused') return failEnvelope(deadLetters, envelope, this.#full(envelope, 'is refused'));
    if (offer === 'dropped-newest') {
      const error = this.#full(envelope, 'is dropped (overflow: drop-newest)');
      if (envelope.sink !== undefined) return envelope.sink.fail(error);
      return toDeadLetters(deadLetters, envelope, error, 'dropped-newest');
    }
    const oldest = offer.droppedOldest;
    const error = this.#full(oldest, 'is dropped (overflow: drop-oldest)');
    if (oldest.sink !== undefined) oldest.sink.fail(error);
    else toDeadLetters(deadLetters, oldest, error, 'dropped-oldest');
    envelope.sink?.taken?.();
  }

  #full(envelope: Envelope, what: string): TroupeError {
    const { capacity } = this.definition.options.mailbox;
    return new TroupeError(
      'TROUPE_MAILBOX_FULL',
      `${envelope.target}/${envelope.targetId}: the mailbox is full (${capacity} messages), ${envelope.type} ${what}; ` +
        'use send() to wait for room, or a larger mailbox.capacity',
      { details: { aggregate: envelope.target, id: envelope.targetId, type: envelope.type, capacity } },
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
