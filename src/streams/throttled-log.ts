/**
 * A log for what may come a hundred thousand times a second: the first of a kind at once, then a line with the
 * count, at most one in ten seconds.
 *
 * Nothing is left out in silence: what was held back is counted in the next line of its kind. Bounded: when there
 * are very many kinds at a time, further ones share a line.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { LogFields, Logger } from '../core/logger.js';

/** Milliseconds between two lines of one kind: readable for people, and no news is older than this. */
const LINE_EVERY_MS = 10_000;
/** Kinds told apart at a time. */
const MOST_KINDS = 500;

interface Kind {
  heldBack: number;
  /** The last line held back. */
  message: string;
  fields: LogFields | undefined;
  timer: Timer;
}

export class ThrottledLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #level: 'warn' | 'error';
  readonly #kinds = new Map<string, Kind>();

  constructor(log: Logger, clock: Clock, level: 'warn' | 'error') {
    this.#log = log;
    this.#clock = clock;
    this.#level = level;
  }

  /** Writes the line, or counts it when one of its kind was written just now. */
  write(kind: string, message: string, fields?: LogFields): void {
    const name = this.#kinds.has(kind) || this.#kinds.size < MOST_KINDS ? kind : '';
    const known = this.#kinds.get(name);
    if (known === undefined) {
      this.#kinds.set(name, { heldBack: 0, message, fields, timer: this.#wait(name) });
      this.#log[this.#level](message, fields);
      return;
    }
    known.heldBack += 1;
    known.message = message;
    known.fields = fields;
  }

  /** Writes what was held back; no timer is left. */
  close(): void {
    for (const kind of this.#kinds.values()) {
      kind.timer.cancel();
      this.#writeHeldBack(kind);
    }
    this.#kinds.clear();
  }

  #wait(name: string): Timer {
    return this.#clock.setTimer(LINE_EVERY_MS, () => this.#tell(name), true);
  }

  #tell(name: string): void {
    const kind = this.#kinds.get(name);
    if (kind === undefined) return;
    if (kind.heldBack === 0) {
      this.#kinds.delete(name);
      return;
    }
    this.#writeHeldBack(kind);
    kind.heldBack = 0;
    kind.timer = this.#wait(name);
  }

  #writeHeldBack({ heldBack, message, fields }: Kind): void {
    if (heldBack === 0) return;
    const more = heldBack === 1 ? '1 more like it' : `${heldBack} more like it`;
    this.#log[this.#level](`${message} (${more})`, fields);
  }
}
