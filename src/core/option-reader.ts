/**
 * Reads an options object of the public edge, one option at a time, and refuses what it can't use.
 *
 * Only own enumerable properties count, so `toString` or `constructor` are never accidentally there. Unknown keys
 * are refused at once, with the nearest known one. Every refusal is TROUPE_INVALID_OPTIONS and names the owner
 * (`aggregate order`), the option by its path (`mailbox.capacity`), the value, and what to give instead.
 */
import { suggestion } from './did-you-mean.js';
import { type DurationBounds, parseDuration } from './duration.js';
import { showValue } from './show-value.js';
import { TroupeError } from './troupe-error.js';

/** A function of unknown signature; whoever reads it knows from the contract how to call it. */
export type UnknownFunction = (...args: never[]) => unknown;

/** What a number may be. */
export interface NumberBounds {
  readonly min: number;
  /** Default: no upper bound. */
  readonly max?: number;
  /** Whether `Infinity` may be asked for. Default false. */
  readonly infinite?: boolean;
}

/** Reads the options of one object; see the header of this file. */
export class OptionReader {
  readonly #owner: string;
  readonly #path: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /**
   * @param owner whose options these are, such as `aggregate order`.
   * @param known every key that may be there; undefined for keys that the user invents, such as event types.
   * @param path where the object stands within the options of its owner; empty at the top.
   * @throws TROUPE_INVALID_OPTIONS when the value is no plain object, or has a key that isn't known.
   */
  constructor(owner: string, value: unknown, known?: readonly string[], path = '') {
    this.#owner = owner;
    this.#path = path;
    requireOptions(owner, value, path);
    // An object that is no array: its own fields can be read by name as unknown.
    this.#values = value as Readonly<Record<string, unknown>>;
    if (known === undefined) return;
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) {
        throw new TroupeError(
          'TROUPE_INVALID_OPTIONS',
          `${owner}: unknown option "${this.#pathOf(key)}"${suggestion(key, known) || `; known are ${known.join(', ')}`}`,
          { details: { owner, option: this.#pathOf(key), known } },
        );
      }
    }
  }

  /** The value of an option, undefined when it isn't there. */
  value(key: string): unknown {
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
  }

  /** Own keys, in the order written. */
  keys(): string[] {
    return Object.keys(this.#values);
  }

  /** The refusal of an option, to be thrown: `advice` says what to give instead. */
  refusal(key: string, advice: string): TroupeError {
    return refusal(this.#owner, this.#pathOf(key), this.value(key), advice);
  }

  /** A function that has to be there. */
  function(key: string, signature: string): UnknownFunction {
    const found = this.optionalFunction(key, signature);
    if (found === undefined) throw this.refusal(key, `give a function ${signature}`);
    return found;
  }

  /** A function, or undefined when the option isn't there. */
  optionalFunction(key: string, signature: string): UnknownFunction | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'function') throw this.refusal(key, `give a function ${signature}`);
    // Just checked; callers call it by the signature that the contract states.
    return value as UnknownFunction;
  }

  /** A whole number within bounds. */
  integer(key: string, bounds: NumberBounds, fallback?: number): number {
    return this.#number(key, bounds, fallback, Number.isSafeInteger, 'an integer');
  }

  /** A number within bounds. */
  number(key: string, bounds: NumberBounds, fallback?: number): number {
    return this.#number(key, bounds, fallback, Number.isFinite, 'a number');
  }

  #number(key: string, bounds: NumberBounds, fallback: number | undefined, fits: (n: number) => boolean, noun: string) {
    const given = this.value(key);
    const value = given === undefined ? fallback : given;
    const max = bounds.max ?? Infinity;
    const range = max === Infinity ? `of at least ${bounds.min}` : `from ${bounds.min} to ${max}`;
    if (typeof value === 'number' && value >= bounds.min && value <= max) {
      if (fits(value) || (value === Infinity && bounds.infinite === true)) return value;
    }
    throw this.refusal(key, `give ${noun} ${range}${bounds.infinite === true ? ', or Infinity' : ''}`);
  }

  /** A duration, in milliseconds. */
  durationMs(key: string, fallbackMs: number, bounds: DurationBounds = {}): number {
    const value = this.value(key);
    if (value === undefined) return fallbackMs;
    return parseDuration(value, `${this.#owner}: option "${this.#pathOf(key)}"`, bounds);
  }

  /** One of a closed set of texts. */
  oneOf<const Choice extends string>(key: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.value(key);
    if (value === undefined) return fallback;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    const near = typeof value === 'string' ? suggestion(value, choices) : '';
    throw this.refusal(key, `give one of ${choices.map((choice) => `'${choice}'`).join(', ')}${near}`);
  }

  /** A reader for a nested object; of an empty one when the option isn't there. */
  nested(key: string, known?: readonly string[]): OptionReader {
    const value = this.value(key);
    return new OptionReader(this.#owner, value === undefined ? {} : value, known, this.#pathOf(key));
  }

  /** A reader for a nested object that has to be there. */
  required(key: string, known?: readonly string[]): OptionReader {
    if (this.value(key) === undefined) throw this.refusal(key, 'give an object');
    return this.nested(key, known);
  }

  /** An array, or undefined when the option isn't there. */
  optionalArray(key: string, advice: string): readonly unknown[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.refusal(key, advice);
    // Just checked; Array.isArray alone would make `any` of its items.
    return value as readonly unknown[];
  }

  #pathOf(key: string): string {
    const step = /^[\w-]+$/.test(key) ? key : `['${key}']`;
    if (this.#path === '') return step;
    return step.startsWith('[') ? `${this.#path}${step}` : `${this.#path}.${step}`;
  }
}

/**
 * Refuses what is no options object at all, for those who read its fields on a path too hot for a reader.
 *
 * @throws TROUPE_INVALID_OPTIONS when the value is no plain object.
 */
export function requireOptions(owner: string, value: unknown, path = ''): asserts value is object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map)) return;
  throw refusal(owner, path, value, 'give an object');
}

function refusal(owner: string, path: string, value: unknown, advice: string): TroupeError {
  const shown = showValue(value);
  const what = path === '' ? 'the options are' : `option "${path}" is`;
  return new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `${owner}: ${value === undefined && path !== '' ? `option "${path}" is missing` : `${what} ${shown}`}; ${advice}`,
    { details: { owner, option: path, value: shown } },
  );
}
