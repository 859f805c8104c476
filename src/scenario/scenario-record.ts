/**
 * The record of one run: what the scenario checked, counted and is showing right now; and the context that writes it.
 */
import type { Clock } from '../core/clock.js';
import { showValue } from '../core/show-value.js';
import { barChart } from './bar-chart.js';
import { type ProgressDisplay, type ProgressOptions, startProgress } from './progress-display.js';
import type { ScenarioArguments } from './scenario-arguments.js';
import type { ScenarioContext, ScenarioProgress } from './scenario-context.js';
import type { ScenarioJournal } from './scenario-journal.js';
import { assertThat, compare, type RecordedCheck } from './scenario-result.js';
import { seededRandom } from './seeded-random.js';
import type { Terminal } from './terminal.js';

/** Where a record shows things. */
export interface RecordOutputs {
  /** For the story: standard output, or standard error with `--json`. */
  readonly people: Terminal;
  readonly problems: Terminal;
  readonly clock: Clock;
}

/** See above. */
export class ScenarioRecord {
  readonly checks: RecordedCheck[] = [];
  readonly totals: Record<string, number> = {};
  readonly outputs: RecordOutputs;
  eventCount = 0;
  #progress: ProgressDisplay | undefined;
  #closed = false;

  constructor(outputs: RecordOutputs) {
    this.outputs = outputs;
  }

  /** Writes lines without spoiling a progress bar that is on the same screen. */
  write(terminal: Terminal, lines: readonly string[]): void {
    if (this.#closed) return;
    const write = () => {
      for (const line of lines) terminal.line(line);
    };
    if (this.#progress === undefined || !terminal.interactive) write();
    else this.#progress.above(write);
  }

  check(check: RecordedCheck): boolean {
    this.checks.push(check);
    return check.ok;
  }

  startProgress(options: ProgressOptions): ScenarioProgress {
    this.#stopProgress();
    if (this.#closed) return { update() {}, stop() {} };
    const display = startProgress(options, this.outputs.problems, this.outputs.clock);
    this.#progress = display;
    return {
      update: (done, facts) => display.update(done, facts),
      stop: () => {
        display.stop();
        if (this.#progress === display) this.#progress = undefined;
      },
    };
  }

  /** The run is over: shows and records nothing more, whatever a run that was left behind still does. */
  close(): void {
    this.#stopProgress();
    this.#closed = true;
  }

  #stopProgress(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }
}

/** The context of a run, frozen; its functions need no `this`. */
export function scenarioContext(
  record: ScenarioRecord,
  given: ScenarioArguments,
  journal: ScenarioJournal,
  signal: AbortSignal,
): ScenarioContext {
  const { people, problems } = record.outputs;
  return Object.freeze({
    options: given.options,
    workers: given.workers,
    seed: given.seed,
    random: seededRandom(given.seed),
    get journal() {
      journal.take();
      return journal.path;
    },
    journalGiven: given.journal !== undefined,
    json: given.json,
    interactive: people.interactive,
    signal,
    say: (text = '') => record.write(people, [text]),
    warn: (text: string) => record.write(problems, [text]),
    progress: (options: ProgressOptions) => record.startProgress(options),
    check: (name: string, expected: unknown, actual: unknown) => record.check(compare(name, expected, actual)),
    checkThat: (name: string, ok: boolean, detail?: string) => record.check(assertThat(name, ok, detail)),
    total: (name: string, value: number) => {
      record.totals[name] = finite(`the total ${name}`, value);
    },
    events: (count: number) => {
      record.eventCount = finite('the number of events', count);
    },
    bars: (rows, options = {}) => {
      const { title, width } = options;
      const lines = barChart(rows, {
        lineWidth: people.width,
        paint: people.palette.accent,
        ...(width ? { width } : {}),
      });
      record.write(people, title === undefined ? lines : [people.palette.bold(title), ...lines]);
    },
  } satisfies ScenarioContext);
}

/** JSON has no NaN: it would turn into null unseen. */
function finite(what: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new RangeError(`${what} must be a finite number; got ${showValue(value)}`);
}
