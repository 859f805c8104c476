/**
 * A link: this thread's end of the way to one other thread.
 *
 * What one turn produced for the other side crosses as one encoded frame, outcomes before mail. Every message stays
 * here until its outcome has come back, so that the death of the other side loses nothing that it had not finished.
 * Credits bound what is under way; what goes beyond waits here, bounded too. Hot path: bench suite `mailbox`.
 */
import type { InstanceAddress, Signal } from '../actors/signal.js';
import type { Envelope, ReplySink } from '../core/envelope.js';
import { RingBuffer } from '../core/ring-buffer.js';
import { TroupeError } from '../core/troupe-error.js';
import type { FrameCodec } from './frame-codec.js';
import { MailWriter, readMail, type WireMail } from './mail-wire.js';
import type { ThreadIndex } from './placement.js';
import { fromWireTroupeError, toWireError, type WireError } from './wire-error.js';

/** How a message ended, or that the mailbox has taken it. `done`: without a reply that anybody wants; a run of them. */
export type WireOutcome =
  | readonly [kind: 'done', seq: number, count: number]
  | readonly [kind: 'taken', seq: number]
  | readonly [kind: 'reply', seq: number, value: unknown, position: number, version: number]
  | readonly [kind: 'fail', seq: number, error: WireError];

/** A signal and the instance that it is for; undefined: the guardian. */
export type WireSignal = readonly [to: InstanceAddress | undefined, signal: Signal];

/** An instance that lives on another thread than its home, or no longer does. */
export type WirePlacement = readonly [name: string, id: string, thread: ThreadIndex | null];

export interface Frame {
  readonly placements: readonly WirePlacement[];
  readonly signals: readonly WireSignal[];
  readonly outcomes: readonly WireOutcome[];
  /** Messages that still wait for room and shall wait no longer. */
  readonly withdrawn: readonly number[];
  readonly mail: WireMail;
}

/** What a link needs of its thread. */
export interface LinkSurroundings {
  readonly codec: FrameCodec;
  post(frame: Uint8Array): void;
  /** Learns where an instance lives. */
  placed(name: string, id: string, thread: ThreadIndex | undefined): void;
  /** Whether a message without outcome is delivered again to the successor of a thread that died. */
  survives(envelope: Envelope): boolean;
  /** Takes a signal that has arrived to its instance. */
  signalled(to: InstanceAddress | undefined, signal: Signal): void;
  /** Takes a message back from its mailbox if it still waits for room there. */
  withdraw(envelope: Envelope): boolean;
  /** Takes a message that has arrived to its cell. */
  arrived(envelope: Envelope): void;
  /** A message without a waiting sender failed over there. */
  undelivered(envelope: Envelope, error: TroupeError): void;
  /** Gives a command without an id one, so that a second delivery can be recognised. */
  name(envelope: Envelope): void;
}

export interface LinkLimits {
  /** Messages that may be under way. */
  readonly credits: number;
  /** Messages that may wait here for credits. */
  readonly backlog: number;
  /** Messages of one frame. */
  readonly frame: number;
}

export class Link {
  readonly #around: LinkSurroundings;
  readonly #limits: LinkLimits;
  /** Sent and without outcome, in the order sent. */
  readonly #underWay = new Map<number, Envelope>();
  readonly #backlog = new RingBuffer<Envelope>();
  readonly #mail = new MailWriter();
  #outcomes: WireOutcome[] = [];
  #signals: WireSignal[] = [];
  #placements: WirePlacement[] = [];
  /** Had no outcome when the other side died; they go first when there is a successor. */
  #again: Envelope[] = [];
  #withdrawn: number[] = [];
  /** Arrived here and waiting for room. */
  readonly #arrivedWaiting = new Map<number, Envelope>();
  #lastSeq = 0;
  #scheduled = false;
  #open: boolean;

  constructor(around: LinkSurroundings, limits: LinkLimits, open = true) {
    this.#around = around;
    this.#limits = limits;
    this.#open = open;
  }

  /** Messages sent from here whose outcome is not known yet, those waiting for credits included. */
  get unfinished(): number {
    return this.#underWay.size + this.#backlog.size + this.#again.length;
  }

  /** Never throws; without room the message fails like one for a full mailbox. */
  send(envelope: Envelope): void {
    if (this.#open && this.#underWay.size < this.#limits.credits && this.#backlog.size === 0) {
      this.#write(envelope, false);
    } else if (this.#backlog.size < this.#limits.backlog || envelope.waits) {
      this.#backlog.push(envelope);
    } else {
      const { target, targetId, type } = envelope;
      this.#failed(
        envelope,
        new TroupeError(
          'TROUPE_MAILBOX_FULL',
          `${target}/${targetId}: ${type} is refused, because ${this.#limits.backlog} messages wait for that worker already; use send()`,
          { details: { target, id: targetId, type } },
        ),
      );
    }
  }

  /** A frame from the other side. */
  receive(bytes: Uint8Array): void {
    const frame = this.#around.codec.decode(bytes);
    for (const [name, id, thread] of frame.placements) this.#around.placed(name, id, thread ?? undefined);
    for (const [to, signal] of frame.signals) this.#around.signalled(to, signal);
    for (const outcome of frame.outcomes) this.#settle(outcome);
    for (const seq of frame.withdrawn) this.#withdrawArrived(seq);
    readMail(frame.mail, this.#sinkOf, this.#arrive);
    this.#spendCredits();
  }

  /**
   * The other side has died. What was under way to aggregates waits for its successor; of plain actors, asks fail
   * with TROUPE_WORKER_LOST, and the rest becomes dead letters.
   */
  lost(error: TroupeError): void {
    this.#open = false;
    const underWay = [...this.#underWay.values()];
    this.#underWay.clear();
    this.#arrivedWaiting.clear();
    this.#mail.clear();
    this.#outcomes = [];
    this.#signals = [];
    this.#placements = [];
    this.#withdrawn = [];
    for (const envelope of underWay) {
      if (this.#around.survives(envelope)) this.#again.push(envelope);
      else this.#failed(envelope, error);
    }
  }

  /** There is somebody at the other end: what waits for it goes out, first what goes out again. */
  open(): void {
    this.#open = true;
    const again = this.#again;
    this.#again = [];
    for (const envelope of again) this.#write(envelope, true);
    this.#spendCredits();
    if (this.#placements.length > 0) this.#schedule();
  }

  /** Sends what has gathered; called at the end of the turn, and before something that must not overtake it. */
  flush(): void {
    if (!this.#open) return;
    if (this.#gathered === 0) return;
    const mail = this.#mail.take();
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    const placements = this.#placements;
    this.#placements = [];
    const signals = this.#signals;
    this.#signals = [];
    const withdrawn = this.#withdrawn;
    this.#withdrawn = [];
    this.#around.post(this.#around.codec.encode({ placements, signals, outcomes, withdrawn, mail }));
  }

  /** Tells where an instance lives, ahead of everything that could speak of it. */
  place(name: string, id: string, thread: ThreadIndex | undefined): void {
    this.#placements.push([name, id, thread ?? null]);
    this.#schedule();
  }

  /** Sends a signal, ahead of all mail that has not left yet. */
  signal(to: InstanceAddress | undefined, signal: Signal): void {
    this.#signals.push([to, signal]);
    this.#schedule();
  }

  /**
   * Takes a message back that waits for room. True: it has not left. False: the other side is asked, and answers
   * with TROUPE_MAILBOX_FULL if it was in time.
   */
  withdraw(envelope: Envelope): boolean {
    const waiting = this.#backlog.drain();
    for (const one of waiting) if (one !== envelope) this.#backlog.push(one);
    if (waiting.length > this.#backlog.size) return true;
    for (const [seq, one] of this.#underWay) {
      if (one === envelope) {
        this.#withdrawn.push(seq);
        this.#schedule();
        break;
      }
    }
    return false;
  }

  /** The outcome of a message that came from the other side. */
  outcome(outcome: WireOutcome): void {
    const last = this.#outcomes.at(-1);
    if (outcome[0] === 'done' && last?.[0] === 'done' && last[1] + last[2] === outcome[1]) {
      this.#outcomes[this.#outcomes.length - 1] = ['done', last[1], last[2] + 1];
    } else {
      this.#outcomes.push(outcome);
    }
    this.#schedule();
  }

  #write(envelope: Envelope, redelivered: boolean): void {
    this.#around.name(envelope);
    this.#lastSeq += 1;
    this.#underWay.set(this.#lastSeq, envelope);
    this.#mail.add(this.#lastSeq, envelope, redelivered);
    // A full frame leaves at once, so that the other side works on it while this one still sends.
    if (this.#mail.count >= this.#limits.frame) this.flush();
    else this.#schedule();
  }

  get #gathered(): number {
    const { length } = this.#outcomes;
    return length + this.#mail.count + this.#signals.length + this.#placements.length + this.#withdrawn.length;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  #spendCredits(): void {
    while (this.#open && this.#underWay.size < this.#limits.credits) {
      const next = this.#backlog.shift();
      if (next === undefined) return;
      this.#write(next, false);
    }
  }

  #settle(outcome: WireOutcome): void {
    const seq = outcome[1];
    if (outcome[0] === 'done') {
      for (let one = seq; one < seq + outcome[2]; one += 1) this.#underWay.delete(one);
      return;
    }
    const envelope = this.#underWay.get(seq);
    // Of a message that has been handed over since: its second delivery will answer.
    if (envelope === undefined) return;
    if (outcome[0] === 'taken') {
      envelope.sink?.taken?.();
      return;
    }
    this.#underWay.delete(seq);
    if (outcome[0] === 'reply') envelope.sink?.reply(outcome[2], outcome[3], outcome[4]);
    else this.#failed(envelope, fromWireTroupeError(outcome[2]));
  }

  #failed(envelope: Envelope, error: TroupeError): void {
    if (envelope.sink !== undefined) envelope.sink.fail(error);
    else this.#around.undelivered(envelope, error);
  }

  readonly #sinkOf = (seq: number, wantsReply: boolean, wantsTaken: boolean): ReplySink =>
    new DistantSink(this, seq, wantsReply, wantsTaken);

  readonly #arrive = (seq: number, envelope: Envelope): void => {
    if (envelope.waits) this.#arrivedWaiting.set(seq, envelope);
    this.#around.arrived(envelope);
  };

  #withdrawArrived(seq: number): void {
    const envelope = this.#arrivedWaiting.get(seq);
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

  /** A message that came from the other side waits no longer. */
  settledHere(seq: number): void {
    this.#arrivedWaiting.delete(seq);
  }
}

/** Where the outcome of a message goes whose sender is on the other side. */
class DistantSink implements ReplySink {
  readonly #link: Link;
  readonly #seq: number;
  readonly #wantsReply: boolean;
  readonly #wantsTaken: boolean;

  constructor(link: Link, seq: number, wantsReply: boolean, wantsTaken: boolean) {
    this.#link = link;
    this.#seq = seq;
    this.#wantsReply = wantsReply;
    this.#wantsTaken = wantsTaken;
  }

  taken(): void {
    this.#link.settledHere(this.#seq);
    if (this.#wantsTaken) this.#link.outcome(['taken', this.#seq]);
  }

  reply(value: unknown, position: number, version: number): void {
    this.#link.outcome(this.#wantsReply ? ['reply', this.#seq, value, position, version] : ['done', this.#seq, 1]);
  }

  fail(error: TroupeError): void {
    this.#link.settledHere(this.#seq);
    this.#link.outcome(['fail', this.#seq, toWireError(error)]);
  }
}
