/**
 * A link: this thread's end of the way to one other thread.
 *
 * What one turn produced for the other side crosses as one encoded frame, outcomes before mail. Every message stays
 * here until its outcome has come back, so that the death of the other side loses nothing that it had not finished.
 * Credits bound what is under way; what goes beyond waits here, bounded too. Hot path: bench suite `mailbox`.
 */
import type { InstanceAddress, Signal } from '../actors/signal.js';
import type { Envelope, ReplySink } from '../core/envelope.js';
import { NO_SUSPECTS, type Suspects } from '../core/handling-mark.js';
import { RingBuffer } from '../core/ring-buffer.js';
import { TroupeError } from '../core/troupe-error.js';
import type { FrameCodec } from './frame-codec.js';
import { MailWriter, readMail, type WireMail } from './mail-wire.js';
import type { ThreadIndex } from './placement.js';
import { exactValue } from './exact-value.js';
import { fromWireTroupeError, toWireError, type WireError } from '../core/wire-error.js';

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
  /** The other side. */
  readonly peer: ThreadIndex;
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
  /** A message has killed the other side, and its successor too. */
  quarantined(envelope: Envelope): void;
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
  /** `paused`: nothing new goes out, outcomes do. `trying`: only suspects go out. */
  #state: 'closed' | 'trying' | 'open' | 'paused';
  /** Of those in `#again` or under way, the ones that the other side may have died of. */
  readonly #suspects = new Set<Envelope>();
  /** The message that is being tried, and who waits for its outcome. */
  #trial: { readonly seq: number; over(): void } | undefined;
  /** Which of the threads at the other end, one after the other, this is: what one sent gets no answer to the next. */
  #epoch = 0;

  constructor(around: LinkSurroundings, limits: LinkLimits, open = true) {
    this.#around = around;
    this.#limits = limits;
    this.#state = open ? 'open' : 'closed';
  }

  /** Messages sent from here whose outcome is not known yet, those waiting for credits included. */
  get unfinished(): number {
    return this.#underWay.size + this.#backlog.size + this.#again.length;
  }

  /** Never throws; without room the message fails like one for a full mailbox. */
  send(envelope: Envelope): void {
    if (this.#state === 'open' && this.#underWay.size < this.#limits.credits && this.#backlog.size === 0) {
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
  lost(error: TroupeError, suspects: Suspects = NO_SUSPECTS, here: ThreadIndex = 0): void {
    this.#state = 'closed';
    this.#epoch += 1;
    const suspected = suspects.byThread.get(here);
    const underWay = [...this.#underWay];
    this.#underWay.clear();
    this.#arrivedWaiting.clear();
    this.#mail.clear();
    this.#outcomes = [];
    this.#signals = [];
    this.#placements = [];
    this.#withdrawn = [];
    const again: Envelope[] = [];
    for (const [seq, envelope] of underWay) {
      const isSuspect = suspected?.has(seq | 0) === true;
      if (!this.#around.survives(envelope)) this.#failed(envelope, error);
      else if (isSuspect && suspects.alone && this.#suspects.delete(envelope)) this.#around.quarantined(envelope);
      else {
        if (isSuspect) this.#suspects.add(envelope);
        again.push(envelope);
      }
    }
    // Where some had not gone out again yet, those that had were ahead of them.
    this.#again = [...again, ...this.#again];
    this.#endTrial();
  }

  /** Lets no more mail out, until the other side is replaced; what has left goes on. */
  pause(): void {
    if (this.#state === 'open') this.#state = 'paused';
  }

  /** Nothing goes out any more: what has no outcome fails with `error`. */
  end(error: TroupeError): void {
    const open = [...this.#again, ...this.#underWay.values(), ...this.#backlog.drain()];
    this.#again = [];
    this.#underWay.clear();
    this.#endTrial();
    for (const envelope of open) this.#failed(envelope, error);
  }

  /**
   * Sends the suspects to the successor, which handles nothing else yet: one at a time, and each behind those for the
   * same instance that came before it. Resolves when they have an outcome, or the successor has died, too.
   */
  async tryOut(): Promise<void> {
    if (this.#again.every((envelope) => !this.#suspects.has(envelope))) return;
    this.#state = 'trying';
    for (const suspect of this.#again.filter((envelope) => this.#suspects.has(envelope))) {
      const { target, targetId } = suspect;
      const upTo = this.#again.slice(0, this.#again.indexOf(suspect) + 1);
      for (const one of upTo.filter((envelope) => envelope.target === target && envelope.targetId === targetId)) {
        this.#again.splice(this.#again.indexOf(one), 1);
        const over = new Promise<void>((resolve) => {
          this.#trial = { seq: this.#lastSeq + 1, over: resolve };
        });
        this.#write(one, true);
        await over;
        if (this.#state !== 'trying') return;
      }
    }
  }

  #endTrial(): void {
    this.#trial?.over();
    this.#trial = undefined;
  }

  /** There is somebody at the other end: what waits for it goes out, first what goes out again. */
  open(): void {
    this.#state = 'open';
    this.#endTrial();
    const again = this.#again;
    this.#again = [];
    for (const envelope of again) this.#write(envelope, true);
    this.#spendCredits();
    if (this.#placements.length > 0) this.#schedule();
  }

  /** Sends what has gathered; called at the end of the turn, and before something that must not overtake it. */
  flush(): void {
    if (this.#state === 'closed') return;
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
  outcome(outcome: WireOutcome, epoch: number): void {
    if (epoch !== this.#epoch) return;
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
    while (this.#state === 'open' && this.#underWay.size < this.#limits.credits) {
      const next = this.#backlog.shift();
      if (next === undefined) return;
      this.#write(next, false);
    }
  }

  #settle(outcome: WireOutcome): void {
    const seq = outcome[1];
    if (outcome[0] === 'done') {
      for (let one = seq; one < seq + outcome[2]; one += 1) this.#finished(one);
      return;
    }
    const envelope = this.#underWay.get(seq);
    // Of a message that has been handed over since: its second delivery will answer.
    if (envelope === undefined) return;
    if (outcome[0] === 'taken') {
      envelope.sink?.taken?.();
      return;
    }
    this.#finished(seq);
    if (outcome[0] === 'reply') envelope.sink?.reply(outcome[2], outcome[3], outcome[4]);
    else this.#failed(envelope, fromWireTroupeError(outcome[2]));
  }

  #finished(seq: number): void {
    if (this.#suspects.size > 0) this.#forgive(seq);
    this.#underWay.delete(seq);
    if (seq === this.#trial?.seq) this.#endTrial();
  }

  #forgive(seq: number): void {
    const envelope = this.#underWay.get(seq);
    if (envelope !== undefined) this.#suspects.delete(envelope);
  }

  #failed(envelope: Envelope, error: TroupeError): void {
    if (envelope.sink !== undefined) envelope.sink.fail(error);
    else this.#around.undelivered(envelope, error);
  }

  readonly #sinkOf = (seq: number, wantsOutcome: boolean, wantsReply: boolean, wantsTaken: boolean): ReplySink =>
    new DistantSink(this, this.#epoch, seq, wantsOutcome, wantsReply, wantsTaken);

  readonly #arrive = (seq: number, envelope: Envelope): void => {
    envelope.fromThread = this.#around.peer;
    envelope.fromSeq = seq | 0;
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
  settledHere(seq: number, epoch: number): void {
    if (epoch === this.#epoch) this.#arrivedWaiting.delete(seq);
  }
}

/** Where the outcome of a message goes whose sender is on the other side. */
class DistantSink implements ReplySink {
  readonly #link: Link;
  readonly #epoch: number;
  readonly #seq: number;
  readonly #wantsOutcome: boolean;
  readonly wantsReply: boolean;
  readonly #wantsTaken: boolean;

  constructor(link: Link, epoch: number, seq: number, wantsOutcome: boolean, wantsReply: boolean, wantsTaken: boolean) {
    this.#wantsOutcome = wantsOutcome;
    this.#link = link;
    this.#epoch = epoch;
    this.#seq = seq;
    this.wantsReply = wantsReply;
    this.#wantsTaken = wantsTaken;
  }

  taken(): void {
    this.#link.settledHere(this.#seq, this.#epoch);
    if (this.#wantsTaken) this.#link.outcome(['taken', this.#seq], this.#epoch);
  }

  reply(value: unknown, position: number, version: number): void {
    this.#link.outcome(
      this.#wantsOutcome
        ? ['reply', this.#seq, this.wantsReply ? exactValue(value) : undefined, position, version]
        : ['done', this.#seq, 1],
      this.#epoch,
    );
  }

  fail(error: TroupeError): void {
    this.#link.settledHere(this.#seq, this.#epoch);
    this.#link.outcome(['fail', this.#seq, toWireError(error)], this.#epoch);
  }
}
