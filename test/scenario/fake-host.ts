/**
 * Surroundings for a run within the test: streams that keep what is written, a clock that is moved by hand.
 */
import { Writable } from 'node:stream';
import type { Clock, Timer } from '../../src/core/clock.js';
import type { ScenarioHost } from '../../src/scenario/scenario-host.js';
import type { Environment, TextStream } from '../../src/scenario/terminal.js';

/** A stream that keeps its text; a terminal if it is given a width. */
export class TextSink extends Writable {
  readonly isTTY: boolean;
  readonly columns?: number;
  text = '';

  constructor(columns?: number) {
    super({ decodeStrings: false });
    this.isTTY = columns !== undefined;
    if (columns !== undefined) this.columns = columns;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

/** Time that stands still unless moved. */
export class HandClock implements Clock {
  #nowMs = 0;
  #timers: { readonly dueMs: number; readonly fire: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, fire };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  get waiting(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ dueMs }) => dueMs > this.#nowMs);
    for (const { fire } of due) fire();
  }
}

export interface FakeHost extends ScenarioHost {
  readonly stdout: TextSink & TextStream;
  readonly stderr: TextSink & TextStream;
  readonly clock: HandClock;
  /** Ends the run early, for this reason. */
  end(reason: Error): void;
}

/** Surroundings without a terminal, or with one of a given width. */
export function fakeHost(options: { readonly columns?: number; readonly env?: Environment } = {}): FakeHost {
  const controller = new AbortController();
  return {
    stdout: new TextSink(options.columns),
    stderr: new TextSink(options.columns),
    env: options.env ?? {},
    clock: new HandClock(),
    ending: controller.signal,
    end: (reason) => controller.abort(reason),
  };
}
