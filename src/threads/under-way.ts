/**
 * What one thread has sent to another and has no outcome yet, in the order sent; and what becomes of it when the other
 * one dies.
 *
 * What survives goes out again to the successor, in its order. Suspects, of which the other side may have died, go
 * first and one at a time; one that is the only suspect again, after it was tried alone, is convicted (promise 4).
 */
import type { Envelope } from '../core/envelope.js';
import type { Suspects } from '../core/handling-mark.js';
import { NumberedItems } from '../core/numbered-items.js';
import type { ThreadIndex } from './placement.js';

/** What is decided about messages of a thread that died. */
export interface UnderWaySurroundings {
  /** Whether a message without outcome is delivered again to the successor. */
  survives(envelope: Envelope): boolean;
  /** It is not, and fails. */
  lost(envelope: Envelope): void;
  /** It has cost two threads their life, itself or by its `nth` command. What goes out in its place, if anything. */
  quarantined(envelope: Envelope, nth: number): Envelope | undefined;
}

export class UnderWay {
  readonly #sent = new NumberedItems<Envelope>();
  /** Of those that go out again, and of those that went out as a trial, the ones the other side may have died of. */
  readonly #suspects = new Set<Envelope>();
  /** Had no outcome when the other side died. */
  #again: Envelope[] = [];
  /** Messages of the trial that have no outcome yet, and who waits for them. */
  #trial: { readonly open: Set<Envelope>; over(): void } | undefined;

  /** Messages without outcome, those included that have to go out again. */
  get size(): number {
    return this.#sent.size + this.#again.length;
  }

  add(seq: number, envelope: Envelope): void {
    this.#sent.add(seq, envelope);
  }

  get(seq: number): Envelope | undefined {
    return this.#sent.get(seq);
  }

  /** Number of a message that has been sent. */
  seqOf(envelope: Envelope): number | undefined {
    for (const [seq, one] of this.#sent) if (one === envelope) return seq;
    return undefined;
  }

  /** It has an outcome. Undefined: it was handed over since, and its second delivery will answer. */
  settle(seq: number): Envelope | undefined {
    const envelope = this.#sent.take(seq);
    if (envelope === undefined) return undefined;
    if (this.#suspects.size > 0) this.#suspects.delete(envelope);
    if (this.#trial?.open.delete(envelope) === true && this.#trial.open.size === 0) this.endTrial();
    return envelope;
  }

  /** The other side has died. `here`: this thread, as the other one named it in its mark. */
  orphan(suspects: Suspects, here: ThreadIndex, around: UnderWaySurroundings): void {
    const suspected = suspects.byThread.get(here);
    const sent = [...this.#sent];
    this.#sent.clear();
    const again: Envelope[] = [];
    for (const [seq, envelope] of sent) {
      const nth = suspected?.get(seq | 0);
      if (!around.survives(envelope)) around.lost(envelope);
      else if (nth !== undefined && suspects.alone && this.#suspects.delete(envelope)) {
        const instead = around.quarantined(envelope, nth);
        if (instead !== undefined) again.push(instead);
      } else {
        if (nth !== undefined) this.#suspects.add(envelope);
        again.push(envelope);
      }
    }
    // Where some had not gone out again yet, those that had were ahead of them.
    this.#again = [...again, ...this.#again];
    this.endTrial();
  }

  get hasSuspects(): boolean {
    return this.#again.some((envelope) => this.#suspects.has(envelope));
  }

  /**
   * Sends the suspects one at a time, each when those for the same instance that came before it have their outcome;
   * resolves when all have theirs, or `goesOn` says no.
   */
  async tryOut(send: (envelope: Envelope) => void, goesOn: () => boolean): Promise<void> {
    for (const suspect of this.#again.filter((envelope) => this.#suspects.has(envelope))) {
      const { target, targetId } = suspect;
      const before = this.#again
        .slice(0, this.#again.indexOf(suspect))
        .filter((envelope) => envelope.target === target && envelope.targetId === targetId);
      for (const together of [before, [suspect]]) {
        if (together.length === 0) continue;
        await this.#try(together, send);
        if (!goesOn()) return;
      }
    }
  }

  #try(together: readonly Envelope[], send: (envelope: Envelope) => void): Promise<void> {
    const open = new Set(together);
    this.#again = this.#again.filter((envelope) => !open.has(envelope));
    return new Promise<void>((resolve) => {
      this.#trial = { open, over: resolve };
      for (const envelope of together) send(envelope);
    });
  }

  endTrial(): void {
    this.#trial?.over();
    this.#trial = undefined;
  }

  /** What has to go out again, in its order; it is the caller's then. */
  takeAgain(): Envelope[] {
    const again = this.#again;
    this.#again = [];
    return again;
  }

  /** Everything, in its order; nothing of it gets an outcome any more. */
  clear(): Envelope[] {
    const all = [...this.#again, ...Array.from(this.#sent, ([, envelope]) => envelope)];
    this.#again = [];
    this.#sent.clear();
    this.#suspects.clear();
    this.endTrial();
    return all;
  }
}
