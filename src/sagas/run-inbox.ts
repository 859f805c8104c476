/**
 * What is told to a run, one in a turn of the event loop and in the order in which it was written down.
 *
 * So the same calls follow in life as in a replay. Some of it has to be durable before it is told; whatever came
 * behind it waits as well.
 */
import type { RunJournal } from './run-journal.js';
import type { StoppedEntry } from './saga-entries.js';
import type { Step, StepOutcome } from './step.js';
import type { Turns } from './turns.js';

export type Delivery =
  | {
      readonly kind: 'outcome';
      readonly step: Step;
      readonly outcome: StepOutcome;
      readonly at: number;
      durable: boolean;
    }
  | { readonly kind: 'stop'; readonly entry: StoppedEntry; durable: boolean };

/** The run behind an inbox. */
export interface Listener {
  /** Whether anything may be told now. */
  readonly listens: boolean;
  hear(delivery: Delivery): void;
  /** The turn in which something was told is over. */
  look(): void;
}

export class RunInbox {
  readonly #turns: Turns;
  readonly #pen: RunJournal;
  readonly #listener: Listener;
  readonly #deliveries: Delivery[] = [];
  #turnTaken = false;

  constructor(turns: Turns, pen: RunJournal, listener: Listener) {
    this.#turns = turns;
    this.#pen = pen;
    this.#listener = listener;
  }

  /** Whether something was told in this turn. */
  get turnTaken(): boolean {
    return this.#turnTaken;
  }

  get busy(): boolean {
    return this.#turnTaken || this.#deliveries.length > 0;
  }

  push(delivery: Delivery): void {
    this.#deliveries.push(delivery);
    this.pump();
  }

  /** Tells the next one, if it may be told and none has been in this turn. */
  pump(): void {
    const next = this.#deliveries[0];
    if (next === undefined || this.#turnTaken || !this.#listener.listens) return;
    if (!next.durable) {
      this.#pen.flush();
      void this.#pen.durable().then(() => {
        next.durable = true;
        this.pump();
      });
      return;
    }
    this.#deliveries.shift();
    this.#turnTaken = true;
    this.#turns.next(() => {
      this.#turnTaken = false;
      this.#pen.flush();
      this.pump();
      this.#listener.look();
    });
    this.#listener.hear(next);
  }
}
