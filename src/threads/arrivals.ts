/**
 * What has come from another thread: messages on their way to mailboxes here, and the way back of their outcomes.
 *
 * When the other side dies, another one takes its place: what the dead one had sent is handled all the same, but the
 * successor gets no answers to it.
 */
import type { Envelope, EnvelopeFacts, Origin, ReplySink } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';
import { MailReader, type MailTaker, type WireMail } from './mail-wire.js';
import type { OutcomeWriter } from './outcome-wire.js';
import type { ThreadIndex } from './placement.js';
import { exactValue } from './exact-value.js';
import { continuations } from '../core/microtask.js';
import { toWireError } from '../core/wire-error.js';

export interface ArrivalsSurroundings {
  /** The thread that they come from. */
  readonly peer: ThreadIndex;
  /** The plain actor of this thread that a message can go straight to. */
  nearby(name: string, id: string): PlainCell | undefined;
  /** Takes a message to its cell. */
  arrived(envelope: Envelope): void;
  /** Takes a message back from its mailbox if it still waits for room there. */
  withdraw(envelope: Envelope): boolean;
  /** Gathers outcomes for the other side. */
  readonly outcomes: OutcomeWriter;
  /** There is another one of them. */
  answered(): void;
}

/** A cell as plain messages see it. */
export interface PlainCell {
  readonly closed: boolean;
  knows(type: string): boolean;
  acceptPlain(type: string, payload: unknown, facts: EnvelopeFacts, seq: number): boolean;
}

export class Arrivals implements MailTaker {
  readonly #around: ArrivalsSurroundings;
  readonly #reader = new MailReader(this);
  /** Those that wait for room, or have not been taken yet. */
  readonly #waiting = new Map<number, Envelope>();
  /** Which of the threads at the other end, one after the other, this is. */
  #epoch = 0;
  #origin: Origin;
  /** What messages have in common that no actor has sent. */
  #unsent: EnvelopeFacts;
  /** Whom the messages being read are for, if plain ones can go straight there. */
  #cell: PlainCell | undefined;

  constructor(around: ArrivalsSurroundings) {
    this.#around = around;
    this.#origin = new DistantOrigin(this, around.peer, this.#epoch);
    this.#unsent = { sender: undefined, from: this.#origin };
  }

  /** Takes the mail of a frame to its cells. */
  receive(mail: WireMail): number {
    const count = this.#reader.read(mail);
    this.#cell = undefined;
    return count;
  }

  /** The other side has died. */
  orphan(): void {
    this.#epoch += 1;
    this.#waiting.clear();
    this.#origin = new DistantOrigin(this, this.#around.peer, this.#epoch);
    this.#unsent = { sender: undefined, from: this.#origin };
  }

  // What is read

  addressed(target: string, targetId: string): void {
    this.#cell = this.#around.nearby(target, targetId);
  }

  factsOf(sender: unknown): EnvelopeFacts {
    return sender === undefined ? this.#unsent : { sender, from: this.#origin };
  }

  plain(seq: number, type: string, payload: unknown, facts: EnvelopeFacts): boolean {
    const cell = this.#cell;
    return cell !== undefined && !cell.closed && cell.knows(type) && cell.acceptPlain(type, payload, facts, seq);
  }

  sinkOf(seq: number, wantsOutcome: boolean, wantsReply: boolean, wantsTaken: boolean): ReplySink {
    return new DistantSink(this, this.#epoch, seq, wantsOutcome, wantsReply, wantsTaken);
  }

  arrived(seq: number, envelope: Envelope): void {
    envelope.fromThread = this.#around.peer;
    envelope.fromSeq = seq | 0;
    if (envelope.waits) this.#waiting.set(seq, envelope);
    this.#around.arrived(envelope);
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

  // From here on what the sinks say, each with the epoch of its message.

  taken(seq: number, epoch: number, isNews: boolean): void {
    if (!this.#over(seq, epoch) || !isNews) return;
    this.#around.outcomes.taken(seq);
    this.#around.answered();
  }

  done(seq: number, epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#around.outcomes.done(seq);
    this.#around.answered();
  }

  reply(seq: number, epoch: number, value: unknown, position: number, version: number): void {
    if (epoch !== this.#epoch) return;
    this.#around.outcomes.reply(seq, value, position, version);
    this.#around.answered();
  }

  fail(seq: number, epoch: number, error: TroupeError): void {
    if (!this.#over(seq, epoch)) return;
    this.#around.outcomes.fail(seq, toWireError(error));
    this.#around.answered();
  }

  /** A message waits for room no longer; false: its sender is gone. */
  #over(seq: number, epoch: number): boolean {
    if (epoch !== this.#epoch) return false;
    if (this.#waiting.size > 0) this.#waiting.delete(seq);
    return true;
  }
}

/** The other side, as long as it is the same thread, for messages without a sink. */
class DistantOrigin implements Origin {
  readonly thread: ThreadIndex;
  readonly #arrivals: Arrivals;
  readonly #epoch: number;

  constructor(arrivals: Arrivals, thread: ThreadIndex, epoch: number) {
    this.thread = thread;
    this.#arrivals = arrivals;
    this.#epoch = epoch;
  }

  done(seq: number): void {
    this.#arrivals.done(seq, this.#epoch);
  }

  sinkOf(seq: number): ReplySink {
    return new DistantSink(this.#arrivals, this.#epoch, seq, false, false, false);
  }
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
    this.#arrivals.taken(this.#seq, this.#epoch, this.#wantsTaken);
  }

  reply(value: unknown, position: number, version: number): void {
    let said: unknown;
    if (this.wantsReply) {
      said = exactValue(value);
      continuations.soon = true;
    }
    // Without a sink over there nobody is told, not even where it stands.
    if (this.#wantsOutcome && (said !== undefined || position !== 0)) {
      this.#arrivals.reply(this.#seq, this.#epoch, said, position, version);
    } else {
      this.#arrivals.done(this.#seq, this.#epoch);
    }
  }

  fail(error: TroupeError): void {
    this.#arrivals.fail(this.#seq, this.#epoch, error);
  }
}
