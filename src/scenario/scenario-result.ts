/**
 * What a run came to: its checks, its totals, its rate. The shape of the JSON line is public and doesn't change.
 */
import { inspect, isDeepStrictEqual } from 'node:util';

/** One check of a scenario. */
export interface ScenarioCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** The result of a run, as printed by `--json`, keys in this order. */
export interface ScenarioResult {
  readonly scenario: string;
  /** Whether the run came to its end, with at least one check, and every check holds. */
  readonly ok: boolean;
  readonly seconds: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly workers: number;
  readonly checks: readonly ScenarioCheck[];
  readonly totals: Readonly<Record<string, number>>;
}

/** A check as recorded for people: with what was seen beside the values. */
export interface RecordedCheck extends ScenarioCheck {
  readonly detail?: string;
}

/** Compares two values deeply. */
export function compare(name: string, expected: unknown, actual: unknown): RecordedCheck {
  return { name, ok: isDeepStrictEqual(actual, expected), expected, actual };
}

/** A check that was decided by its maker; JavaScript may hand in anything, and only true is true. */
export function assertThat(name: string, ok: unknown, detail?: string): RecordedCheck {
  const holds = ok === true;
  const check = { name, ok: holds, expected: true, actual: holds ? true : (detail ?? false) };
  return detail === undefined ? check : { ...check, detail };
}

/** The JSON line, without its line end. */
export function resultLine(result: ScenarioResult): string {
  const checks = result.checks.map(({ name, ok, expected, actual }) => ({
    name,
    ok,
    expected: jsonValue(expected),
    actual: jsonValue(actual),
  }));
  return JSON.stringify({
    scenario: result.scenario,
    ok: result.ok,
    seconds: result.seconds,
    events: result.events,
    eventsPerSecond: result.eventsPerSecond,
    workers: result.workers,
    checks,
    totals: result.totals,
  });
}

/** A value as it stands if JSON can carry it unchanged, else as people would write it: a Map, undefined, NaN, 1n. */
function jsonValue(value: unknown): unknown {
  try {
    if (isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value)) return value;
  } catch {
    // What JSON refuses (undefined, a bigint, a cycle) is written out below.
  }
  return inspect(value, { depth: 6, breakLength: Number.POSITIVE_INFINITY });
}
