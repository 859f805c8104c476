/**
 * What a running scenario is given: its options, a way to talk to people, and checks, totals and chance.
 *
 * All members can be taken apart (`const { say, check } = ctx`). Made by run-scenario.ts.
 */

/** A progress display; see `ScenarioContext.progress`. */
export interface ScenarioProgress {
  /** Says how much is done, with facts worth watching, such as `{ lag: 12 }`. Cheap: drawn a few times a second at most. */
  update(done: number, facts?: Readonly<Record<string, string | number>>): void;
  /** Ends the display; a second call does nothing. The runner stops what the scenario leaves open. */
  stop(): void;
}

/** One bar of `ScenarioContext.bars`. */
export interface ScenarioBar {
  readonly label: string;
  /** Length of the bar, relative to the longest; below 0 counts as 0. */
  readonly value: number;
  /** Stands behind the bar; default: the value with thousands separators. */
  readonly text?: string;
}

/** Handed to a scenario's `run`. */
export interface ScenarioContext<O = Readonly<Record<string, string | number | boolean | undefined>>> {
  /** The scenario's own options, as given or by default. */
  readonly options: O;
  /** `--workers`, for `ActorSystem.start({ workers })`; 0 by default. */
  readonly workers: number | 'auto';
  /** `--seed`; 1 by default. */
  readonly seed: number;
  /** A number in [0, 1) from the seed: the same seed gives the same row of numbers (xoshiro128**, see seeded-random.ts). */
  random(): number;
  /** `--journal`, or a fresh file `.troupe/<name>.db` below the current folder. Read it after the input: reading it removes the old file. */
  readonly journal: string;
  /** Whether `--journal` was given. */
  readonly journalGiven: boolean;
  /** Whether the result is wanted as JSON. */
  readonly json: boolean;
  /** Whether a person reads along on a terminal. */
  readonly interactive: boolean;
  /** A line for people: on standard output, or on standard error with `--json`. */
  say(text?: string): void;
  /** A line on standard error. */
  warn(text: string): void;
  /**
   * Shows progress on standard error: a bar on a terminal, a line every few seconds elsewhere. One at a time; a new one
   * ends the one before.
   */
  progress(options: { readonly total: number; readonly unit: string }): ScenarioProgress;
  /** Checks that `actual` deeply equals `expected` (as `node:util` `isDeepStrictEqual`); returns whether. */
  check(name: string, expected: unknown, actual: unknown): boolean;
  /** Checks that `ok` is true; `detail` says what was seen. Returns `ok`. */
  checkThat(name: string, ok: boolean, detail?: string): boolean;
  /** Reports a total under `totals` of the result. The last value of a name counts. */
  total(name: string, value: number): void;
  /** Reports how many events this run made, for the rate in the result. The last value counts. */
  events(count: number): void;
  /** Draws a bar chart for people, with `width` characters for the longest bar (default: what the terminal has room for). */
  bars(rows: readonly ScenarioBar[], options?: { readonly width?: number; readonly title?: string }): void;
  /** Aborts when the run is to end early: Ctrl-C, SIGTERM, or an error nobody caught. Stop the system and return. */
  readonly signal: AbortSignal;
}
