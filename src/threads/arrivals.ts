/**
 * What has come from another thread: messages on their way to mailboxes here, and the way back of their outcomes.
 *
 * When the other side dies, another one takes its place: what the dead one had sent is handled all the same, but the
 * successor gets no answers to it.
 */
import type { Envelope, ReplySink } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';
import type { WireOutcome } from './frame.js';
import { readMail, type WireMail } from './mail-wire.js';
import type { ThreadIndex } from './placement.js';
import { exactValue } from './exact-value.js';
import { continuations } from '../core/microtask.js';
import { toWireError } from '../core/wire-error.js';

export interface ArrivalsSurroundings {
  /** The thread that they come from. */
  readonly peer: ThreadIndex;
  /** Takes a message to its cell. */
  arrived(envelope: Envelope): void;
  /** Takes a message back from its mailbox if it still waits for room there. */
  withdraw(envelope: Envelope): boolean;
  /** Takes an outcome back to the other side. */
  answer(outcome: WireOutcome): void;
}

export class Arrivals {
  readonly #around: ArrivalsSurroundings;
  /** Those that wait for room, or have not been taken yet. */
  readonly #waiting = new Map<number, Envelope>();
  /** Which of the threads at the other end, one after the other, this is. */
  #epoch = 0;

  constructor(around: ArrivalsSurroundings) {
    this.#around = around;
  }

  /** Takes the mail of a frame to its cells. */
  receive(mail: WireMail): number {
    return readMail(mail, this.#sinkOf, this.#arrive);
  }

  /** The other side has died. */
  orphan(): void {
    this.#epoch += 1;
    this.#waiting.clear();
  }

  /** The other side waits no longer for room for this message; it hears of it if that was in time. */
  withdraw(seq: number): void {
    const envelope = this.#waiting.get(seq);
    if (envelope === undefined || !this.#around.withdraw(envelope)) return;
    const { target, targetId, type } = envelope;
    envelope.sink?.fail(
      new TroupeError(
        'TROUPE_MAILBOX_FULL',
        `${target}/${targetId}: there was no room for ${type} in the mailbox in time; send less at a time, or later`,
        { details: { target, id: targetId, type } },
      ),
    );
  }

  /** A message waits no longer. */
  placed(seq: number, epoch: number): void {
    if (epoch === this.#epoch) this.#waiting.delete(seq);
  }

  answer(outcome: WireOutcome, epoch: number): void {
    if (epoch === this.#epoch) this.#around.answer(outcome);
  }

  readonly #sinkOf = (seq: number, wantsOutcome: boolean, wantsReply: boolean, wantsTaken: boolean): ReplySink =>
    new DistantSink(this, this.#epoch, seq, wantsOutcome, wantsReply, wantsTaken);

  readonly #arrive = (seq: number, envelope: Envelope): void => {
    envelope.fromThread = this.#around.peer;
    envelope.fromSeq = seq | 0;
    if (envelope.waits) this.#waiting.set(seq, envelope);
    this.#around.arrived(envelope);
  };
}

/** Where the outcome of a message goes whose sender is on the other side. */
class DistantSink implements ReplySink {
  readonly #arrivals: Arrivals;
  readonly #epoch: number;
  readonly #seq: number;
  readonly #wantsOutcome: boolean;
  readonly wantsReply: boolean;
  readonly #wantsTaken: boolean;

  constructor(
    arrivals: Arrivals,
    epoch: number,
    seq: number,
    wantsOutcome: boolean,
    wantsReply: boolean,
    wantsTaken: boolean,
  ) {
    this.#arrivals = arrivals;
    this.#epoch = epoch;
    this.#seq = seq;
    this.#wantsOutcome = wantsOutcome;
    this.wantsReply = wantsReply;
    this.#wantsTaken = wantsTaken;
  }

  taken(): void {
    this.#arrivals.placed(this.#seq, this.#epoch);
    if (this.#wantsTaken) this.#arrivals.answer(['taken', this.#seq], this.#epoch);
  }

  reply(value: unknown, position: number, version: number): void {
    const said = this.wantsReply ? exactValue(value) : undefined;
    if (this.wantsReply) continuations.soon = true;
    // Without a sink over there nobody is told, not even where it stands.
    const says = this.#wantsOutcome && (said !== undefined || position !== 0);
    this.#arrivals.answer(says ? ['reply', this.#seq, said, position, version] : ['done', this.#seq, 1], this.#epoch);
  }

  fail(error: TroupeError): void {
    this.#arrivals.placed(this.#seq, this.#epoch);
    this.#arrivals.answer(['fail', this.#seq, toWireError(error)], this.#epoch);
  }
}
