/**
 * A link: this thread's end of the way to one other thread.
 *
 * What one turn produced for the other side crosses as one encoded frame, outcomes before mail. Credits bound what is
 * on its way between the two: a message spends one until it has come to its mailbox, whose own limit counts from then
 * on, so that a full or slow mailbox over there holds up no other. What goes beyond waits here, bounded too. What was
 * sent is kept (`under-way.ts`), what has come is answered (`arrivals.ts`). Hot path: bench suite `threads`.
 */
import type { InstanceAddress, Signal } from '../actors/signal.js';
import type { Envelope } from '../core/envelope.js';
import { NO_SUSPECTS, type Suspects } from '../core/handling-mark.js';
import { atMicrotask } from '../core/microtask.js';
import { RingBuffer } from '../core/ring-buffer.js';
import { TroupeError } from '../core/troupe-error.js';
import { Arrivals, type PlainCell } from './arrivals.js';
import type { Frame, WirePlacement, WireSignal } from './frame.js';
import type { FrameCodec } from './frame-codec.js';
import { MailWriter } from './mail-wire.js';
import { type OutcomeReader, OutcomeWriter, readOutcomes } from './outcome-wire.js';
import type { ThreadIndex } from './placement.js';
import { UnderWay } from './under-way.js';
import { fromWireTroupeError, type WireError } from '../core/wire-error.js';

/** What a link needs of its thread. */
export interface LinkSurroundings {
  /** The other side. */
  readonly peer: ThreadIndex;
  readonly codec: FrameCodec;
  post(frame: Uint8Array): void;
  /** Learns of an instance over there that its id would not lead to, or that this one has ended. */
  placed(name: string, id: string, birth: number, lives: boolean): void;
  /** Whether a message without outcome is delivered again to the successor of a thread that died. */
  survives(envelope: Envelope): boolean;
  /** Takes a signal that has arrived to its instance. */
  signalled(to: InstanceAddress | undefined, signal: Signal): void;
  /** Takes a message back from its mailbox if it still waits for room there. */
  withdraw(envelope: Envelope): boolean;
  /** A value as this instance may have it: references in it send in its name. */
  bound(to: InstanceAddress, value: unknown): unknown;
  /** The plain actor of this thread, if there is one. */
  nearby(name: string, id: string): PlainCell | undefined;
  /** Takes a message that has arrived to its cell. */
  arrived(envelope: Envelope): void;
  /** A message without a waiting sender failed over there. */
  undelivered(envelope: Envelope, error: TroupeError): void;
  /** A message, or its `nth` command, has killed the other side and its successor. What goes there instead, if any. */
  quarantined(envelope: Envelope, nth: number): Envelope | undefined;
  /** Gives a command without an id one, so that a second delivery can be recognised. */
  name(envelope: Envelope): void;
}

export interface LinkLimits {
  /** Messages that may be on their way. */
  readonly credits: number;
  /** Messages that may wait here for credits. */
  readonly backlog: number;
  /** Weight of one frame at most: a message weighs 1, one that somebody waits for `ASK_WEIGHT`. */
  readonly frame: number;
}

/**
 * `closed`: nobody is there. `joined`: somebody is, who hears outcomes and gets no mail yet. `trying`: only suspects go
 * out. `paused`: nothing new goes out, outcomes do.
 */
type LinkState = 'closed' | 'joined' | 'trying' | 'open' | 'paused';

/**
 * Somebody waits for the answer to an ask, and sends the next one then: with small frames the other side works on the
 * first of them while this one still writes the second, instead of each thread waiting for the other in turn.
 */
const ASK_WEIGHT = 4;

/** A frame that waits to be read. */
interface UnreadFrame {
  readonly frame: Frame;
  readonly holdsRefs: boolean;
}

export class Link implements OutcomeReader {
  readonly #around: LinkSurroundings;
  readonly #limits: LinkLimits;
  readonly #underWay = new UnderWay();
  readonly #arrivals: Arrivals;
  readonly #backlog = new RingBuffer<Envelope>();
  readonly #mail = new MailWriter();
  readonly #outcomes = new OutcomeWriter();
  #signals: WireSignal[] = [];
  #withdrawn: number[] = [];
  /** Messages sent that have not come to their mailboxes yet, as far as this side knows. */
  #spent = 0;
  /** Messages that have come here since the other side was told. */
  #earned = 0;
  #lastSeq = 0;
  /** Of the frame that gathers; see `LinkLimits.frame`. */
  #weight = 0;
  #scheduled = false;
  #state: LinkState;

  /** Frames that have come, and of which only the placements are known so far. */
  readonly #unread = new RingBuffer<UnreadFrame>();
  /** Whether there is a reference in the frame that is being read. */
  #holdsRefs = false;

  constructor(around: LinkSurroundings, limits: LinkLimits, open = true) {
    this.#around = around;
    this.#limits = limits;
    this.#state = open ? 'open' : 'closed';
    const { peer } = around;
    this.#arrivals = new Arrivals({
      peer,
      // References have to be bound first.
      nearby: (name, id) => (this.#holdsRefs ? undefined : around.nearby(name, id)),
      arrived: (envelope) => {
        const { target, targetId, payload } = envelope;
        if (this.#holdsRefs) envelope.payload = around.bound({ name: target, id: targetId }, payload);
        around.arrived(envelope);
      },
      withdraw: (envelope) => around.withdraw(envelope),
      outcomes: this.#outcomes,
      answered: () => this.#schedule(),
    });
  }

  /** Messages sent from here whose outcome is not known yet, those waiting for credits included. */
  get unfinished(): number {
    return this.#underWay.size + this.#backlog.size;
  }

  /** Never throws; without room the message fails like one for a full mailbox. */
  send(envelope: Envelope): void {
    if (this.#state === 'open' && this.#spent < this.#limits.credits && this.#backlog.size === 0) {
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
    this.#take(bytes);
    this.read();
  }

  /** A frame from the other side, of which only the placements are wanted now: somebody is looking for an instance. */
  learn(bytes: Uint8Array): void {
    if (this.#unread.size === 0) atMicrotask(() => this.read());
    this.#take(bytes);
  }

  /** Reads what has come, in its order. */
  read(): void {
    // What is learnt while a frame is read, comes behind it.
    for (let next = this.#unread.shift(); next !== undefined; next = this.#unread.shift()) this.#read(next);
  }

  #take(bytes: Uint8Array): void {
    const frame = this.#around.codec.decode(bytes);
    for (const [name, id, birth, lives] of frame.placements) this.#around.placed(name, id, birth, lives);
    this.#unread.push({ frame, holdsRefs: this.#around.codec.madeRefs });
  }

  #read({ frame, holdsRefs }: UnreadFrame): void {
    this.#holdsRefs = holdsRefs;
    this.#spent = Math.max(0, this.#spent - frame.credits);
    for (const [to, signal] of frame.signals) this.#around.signalled(to, signal);
    readOutcomes(frame.outcomes, this);
    for (const seq of frame.withdrawn) this.#arrivals.withdraw(seq);
    this.#earned += this.#arrivals.receive(frame.mail);
    // Most credits go back with outcomes; only without these, a frame goes for them alone.
    if (this.#earned >= this.#limits.credits / 4) this.#schedule();
    this.#spendCredits();
  }

  /**
   * The other side has died. What was under way to aggregates waits for its successor; of plain actors, asks fail
   * with TROUPE_WORKER_LOST, and the rest becomes dead letters.
   */
  lost(error: TroupeError, suspects: Suspects = NO_SUSPECTS, here: ThreadIndex = 0): void {
    this.#state = 'closed';
    this.#arrivals.orphan();
    this.#mail.clear();
    this.#weight = 0;
    this.#outcomes.clear();
    this.#signals = [];
    this.#withdrawn = [];
    this.#spent = 0;
    this.#earned = 0;
    this.#underWay.orphan(suspects, here, {
      survives: (envelope) => this.#around.survives(envelope),
      lost: (envelope) => this.#failed(envelope, error),
      quarantined: (envelope, nth) => this.#around.quarantined(envelope, nth),
    });
  }

  /** There is somebody at the other end again, who may send and hears of outcomes, but gets no mail yet. */
  join(): void {
    if (this.#state === 'closed') this.#state = 'joined';
    if (this.#gathered > 0) this.#schedule();
  }

  /** Lets no more mail out, until the other side is replaced; what has left goes on. */
  pause(): void {
    if (this.#state === 'open') this.#state = 'paused';
  }

  /** Nothing goes out any more: what has no outcome fails with `error`. */
  end(error: TroupeError): void {
    for (const envelope of [...this.#underWay.clear(), ...this.#backlog.drain()]) this.#failed(envelope, error);
  }

  /** Sends the suspects to the successor, which handles nothing else yet; see `UnderWay.tryOut`. */
  async tryOut(): Promise<void> {
    if (!this.#underWay.hasSuspects) return;
    this.#state = 'trying';
    await this.#underWay.tryOut(
      (envelope) => this.#write(envelope, true),
      () => this.#state === 'trying',
    );
  }

  /** The other end may have everything: what waits for it goes out, first what goes out again. */
  open(): void {
    this.#state = 'open';
    this.#underWay.endTrial();
    for (const envelope of this.#underWay.takeAgain()) this.#write(envelope, true);
    this.#spendCredits();
    if (this.#gathered > 0) this.#schedule();
  }

  /** Sends what has gathered; called at the end of the turn, and before something that must not overtake it. */
  flush(): void {
    if (this.#state === 'closed' || this.#gathered === 0) return;
    // Actors of a successor begin their life before the link opens; a signal would come too early.
    const signals = this.#state === 'open' || this.#state === 'paused' ? this.#signals : [];
    const frame = {
      placements: [],
      signals,
      outcomes: this.#outcomes.take(),
      withdrawn: this.#withdrawn,
      credits: this.#earned,
      mail: this.#mail.take(),
    };
    this.#weight = 0;
    if (signals.length > 0) this.#signals = [];
    if (this.#withdrawn.length > 0) this.#withdrawn = [];
    this.#earned = 0;
    this.#around.post(this.#around.codec.encode(frame));
  }

  /**
   * Tells of instances that live here, or have ended, in a frame of its own: before anything else leaves that could speak
   * of one, all threads have been told.
   */
  place(placements: readonly WirePlacement[]): void {
    if (this.#state === 'closed') return;
    const nothing = { signals: [], outcomes: [], withdrawn: [], credits: 0, mail: [] };
    this.#around.post(this.#around.codec.encode({ placements, ...nothing }));
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
    const seq = this.#underWay.seqOf(envelope);
    if (seq !== undefined) {
      this.#withdrawn.push(seq);
      this.#schedule();
    }
    return false;
  }

  #write(envelope: Envelope, redelivered: boolean): void {
    this.#around.name(envelope);
    this.#lastSeq += 1;
    this.#spent += 1;
    this.#underWay.add(this.#lastSeq, envelope);
    this.#mail.add(this.#lastSeq, envelope, redelivered);
    // A full frame leaves at once, so that the other side works on it while this one still sends.
    this.#weight += envelope.sink?.wantsReply === true ? ASK_WEIGHT : 1;
    if (this.#weight >= this.#limits.frame) this.flush();
    else this.#schedule();
  }

  get #gathered(): number {
    const { length } = this.#outcomes;
    const others = this.#signals.length + this.#withdrawn.length;
    return length + this.#mail.count + others + this.#earned;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    atMicrotask(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  #spendCredits(): void {
    while (this.#state === 'open' && this.#spent < this.#limits.credits) {
      const next = this.#backlog.shift();
      if (next === undefined) return;
      this.#write(next, false);
    }
  }

  // The outcomes of a frame, each of a message that is under way or, when it was handed over since, of none.

  done(seq: number): void {
    this.#underWay.settle(seq)?.sink?.reply(undefined, 0, 0);
  }

  taken(seq: number): void {
    this.#underWay.get(seq)?.sink?.taken?.();
  }

  reply(seq: number, value: unknown, position: number, version: number): void {
    const envelope = this.#underWay.settle(seq);
    if (envelope?.sink === undefined) return;
    // Whoever sets `sender` gives a reference or an address.
    const sender = envelope.sender as InstanceAddress | undefined;
    const isPlain = !this.#holdsRefs || sender === undefined;
    envelope.sink.reply(isPlain ? value : this.#around.bound(sender, value), position, version);
  }

  fail(seq: number, error: WireError): void {
    const envelope = this.#underWay.settle(seq);
    if (envelope !== undefined) this.#failed(envelope, fromWireTroupeError(error));
  }

  #failed(envelope: Envelope, error: TroupeError): void {
    if (envelope.sink !== undefined) envelope.sink.fail(error);
    else this.#around.undelivered(envelope, error);
  }
}
