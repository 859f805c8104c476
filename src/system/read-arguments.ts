/**
 * Arguments of the system's members, checked at the public edge: a misspelt option must not be ignored in silence.
 *
 * Each refusal is TROUPE_INVALID_OPTIONS and names the member, the option, its value, and what to give instead.
 */
import type { ExpectedVersion } from '../actors/system-request.js';
import { OptionReader } from '../core/option-reader.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { UnknownEvents } from '../streams/log-reader.js';

/** Selection of events, as `history` and `readAll` take it; the aggregate by name. */
export interface ReadSelection {
  readonly after: number;
  readonly types: readonly string[] | undefined;
  readonly limit: number | undefined;
  readonly live: boolean;
  readonly aggregate: string | undefined;
  readonly id: string | undefined;
  readonly unknownEvents: UnknownEvents;
}

/** Reads the options of `history` or `readAll`. */
export function readSelection(member: string, options: unknown, keys: readonly string[]): ReadSelection {
  const given = new OptionReader(member, options, keys);
  const limit = given.value('limit');
  return {
    after: given.integer('after', { min: 0 }, 0),
    types: readTexts(given, 'types'),
    limit: limit === undefined || limit === Infinity ? undefined : given.integer('limit', { min: 0 }),
    live: readFlag(given, 'live'),
    aggregate: readAggregate(given),
    id: readText(given, 'id'),
    unknownEvents: given.oneOf('unknownEvents', ['pass', 'skip', 'fail'], 'pass'),
  };
}

/** Reads the moment of `state`; undefined where nothing is said. */
export function readMoment(options: unknown): {
  readonly atVersion: number | undefined;
  readonly atTime: number | undefined;
} {
  const given = new OptionReader('state', options, ['atVersion', 'atTime']);
  return {
    atVersion: given.value('atVersion') === undefined ? undefined : given.integer('atVersion', { min: 0 }),
    atTime: given.value('atTime') === undefined ? undefined : given.number('atTime', { min: 0 }),
  };
}

/** Reads the options of `append`. */
export function readAppend(options: unknown): {
  readonly expectedVersion: ExpectedVersion;
  readonly timeoutMs: number | undefined;
} {
  const given = new OptionReader('append', options, ['expectedVersion', 'timeout']);
  const expected = given.value('expectedVersion') ?? 'any';
  if (expected !== 'none' && expected !== 'any' && !(Number.isSafeInteger(expected) && Number(expected) >= 0)) {
    throw given.refusal('expectedVersion', "give a version, 'none' or 'any'");
  }
  return {
    // Just checked.
    expectedVersion: expected as ExpectedVersion,
    timeoutMs: given.value('timeout') === undefined ? undefined : given.durationMs('timeout', 0),
  };
}

/** Reads the only option of `settled` and `stop`. */
export function readTimeoutMs(member: string, options: unknown, defaultMs: number): number {
  return new OptionReader(member, options, ['timeout']).durationMs('timeout', defaultMs, { infinite: true });
}

/** Reads a signal that ends what was asked for. */
export function readSignal(member: string, signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `${member}: option "signal" is ${showValue(signal)}; give that of an AbortController`,
  );
}

/** Refuses options that nobody knows; what they hold is checked where it is used. */
export function refuseUnknown(member: string, options: unknown, keys: readonly string[]): void {
  void new OptionReader(member, options, keys);
}

function readAggregate(given: OptionReader): string | undefined {
  const value = given.value('aggregate');
  if (value === undefined || typeof value === 'string') return value;
  const name: unknown = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
  if (typeof name === 'string') return name;
  throw given.refusal('aggregate', 'give a definition made by aggregate(), or its name');
}

function readText(given: OptionReader, key: string): string | undefined {
  const value = given.value(key);
  if (value === undefined || typeof value === 'string') return value;
  throw given.refusal(key, 'give a text');
}

function readTexts(given: OptionReader, key: string): readonly string[] | undefined {
  const advice = "give an array of texts, such as ['order.created']";
  const values = given.optionalArray(key, advice);
  if (values === undefined) return undefined;
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.length !== values.length) throw given.refusal(key, advice);
  return texts;
}

function readFlag(given: OptionReader, key: string): boolean {
  const value = given.value(key) ?? false;
  if (typeof value === 'boolean') return value;
  throw given.refusal(key, 'give true or false');
}
