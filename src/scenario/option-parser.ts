/**
 * Command-line options from a table of specifications: strict, and each refusal is one line that says what would do.
 *
 * Cutting the arguments is `util.parseArgs`' work. What is allowed is decided here, on its tokens: the errors of its own
 * strict mode don't say which option was near, take `--workers -1` for two options, and tell the option only in prose.
 */
import { parseArgs } from 'node:util';
import { suggestion } from '../core/did-you-mean.js';
import {
  optionFlag,
  type ScenarioOptionSpec,
  type ScenarioOptionSpecs,
  type ScenarioOptionValues,
} from './define-scenario.js';
import { ScenarioInputError } from './scenario-input-error.js';

/** What stood on the command line. */
export interface ParsedOptions<S extends ScenarioOptionSpecs> {
  readonly values: ScenarioOptionValues<S>;
  /** Keys of the options that were given, and not by default. */
  readonly given: ReadonlySet<string>;
  /** What is no option, in order. */
  readonly words: readonly string[];
}

type OptionValue = string | number | boolean;

/**
 * Parses arguments strictly. `-h` stands for an option `help`, other letters as an option says; the last of several
 * equal options counts.
 *
 * @throws ScenarioInputError for an unknown option, a missing or superfluous value, an empty text, and what is no number.
 */
export function parseOptions<S extends ScenarioOptionSpecs>(specs: S, args: readonly string[]): ParsedOptions<S> {
  const keys = new Map(Object.keys(specs).map((key) => [optionFlag(key), key]));
  const values: Record<string, OptionValue | undefined> = {};
  for (const [key, spec] of Object.entries(specs))
    values[key] = spec.default ?? (spec.type === 'boolean' ? false : undefined);

  const given = new Set<string>();
  const words: string[] = [];
  for (const token of tokensOf(specs, args)) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const key = token.rawName.startsWith('--') || isShort(specs, token) ? keys.get(token.name) : undefined;
    const spec = key === undefined ? undefined : specs[key];
    if (key === undefined || spec === undefined) throw unknownOption(token.rawName, [...keys.keys()]);
    values[key] = readValue(spec, token.name, token.value, token.inlineValue ?? false);
    given.add(key);
  }
  // Each key of `specs` has a value of its type by now.
  return { values: values as ScenarioOptionValues<S>, given, words };
}

/** The first argument that is neither an option nor the value of one of `specs`, and what is left without it. */
export function takeWord(
  specs: ScenarioOptionSpecs,
  args: readonly string[],
): { word?: string; at: number; rest: string[] } {
  const token = tokensOf(specs, args).find(({ kind }) => kind === 'positional');
  if (token?.kind !== 'positional') return { at: -1, rest: [...args] };
  return { word: token.value, at: token.index, rest: args.toSpliced(token.index, 1) };
}

function tokensOf(specs: ScenarioOptionSpecs, args: readonly string[]) {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [key, spec] of Object.entries(specs)) {
    const type = spec.type === 'boolean' ? 'boolean' : 'string';
    const short = shortOf(key, spec);
    options[optionFlag(key)] = short === undefined ? { type } : { type, short };
  }
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/** The letter of an option: `-h` for help; others where a command of `troupe` gives one. */
export function shortOf(key: string, spec: ScenarioOptionSpec & { readonly short?: string }): string | undefined {
  return key === 'help' ? 'h' : spec.short;
}

/** Whether a token is the letter of an option, and not only one dash before its whole name. */
function isShort(specs: ScenarioOptionSpecs, token: { readonly name: string; readonly rawName: string }): boolean {
  const found = Object.entries(specs).find(([key]) => optionFlag(key) === token.name);
  return found !== undefined && token.rawName === `-${shortOf(...found) ?? ''}`;
}

function readValue(spec: ScenarioOptionSpec, flag: string, text: string | undefined, inline: boolean): OptionValue {
  if (spec.type === 'boolean') {
    if (text !== undefined)
      throw new ScenarioInputError(`--${flag} takes no value; write --${flag} alone, or leave it out`);
    return true;
  }
  const usage = `--${flag} ${placeholderOf(spec)}`;
  // `--journal --json` is a forgotten value; `--journal=--json` would be meant so, and -1 is a number.
  const swallowed = !inline && text !== undefined && /^-[^\d]/.test(text);
  if (text === undefined || swallowed) throw new ScenarioInputError(`--${flag} needs a value: ${usage}`);
  if (text.trim() === '') throw new ScenarioInputError(`--${flag} got an empty value; write ${usage}, or leave it out`);
  if (spec.type === 'string') return text;
  const value = Number(text);
  if (!Number.isFinite(value))
    throw new ScenarioInputError(`--${flag} takes a number, such as ${usage}; got '${text}'`);
  return value;
}

/** What stands for an option's value in help and messages. */
export function placeholderOf(spec: ScenarioOptionSpec): string {
  return spec.placeholder ?? (spec.type === 'number' ? 'N' : 'TEXT');
}

function unknownOption(rawName: string, flags: readonly string[]): ScenarioInputError {
  const known = flags.map((flag) => `--${flag}`);
  return new ScenarioInputError(
    `unknown option ${rawName}${suggestion(rawName, known) || `; there are ${known.join(' ')}`}`,
  );
}
