/**
 * A scenario: a short story on the public API with a goal, a method and an expected end, which proves itself by checks.
 *
 * The definition is plain frozen data plus `run`; run-scenario.ts plays it. It is recognised by a brand that all copies of
 * the package share, so the `troupe` command can run a scenario that imported another copy.
 */
import { LIMITS } from '../core/limits.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { ScenarioContext } from './scenario-context.js';

/** One command-line option of a scenario's own. The key `failAt` is written `--fail-at` on the command line. */
export interface ScenarioOptionSpec {
  readonly type: 'string' | 'boolean' | 'number';
  /** One line for `--help`. */
  readonly description: string;
  /** Used when the option is not given; a boolean without one is `false`. */
  readonly default?: string | boolean | number;
  /** Stands for the value in `--help`: `FILE` in `--input FILE`. */
  readonly placeholder?: string;
}

export type ScenarioOptionSpecs = Readonly<Record<string, ScenarioOptionSpec>>;

interface ValueTypes {
  readonly string: string;
  readonly boolean: boolean;
  readonly number: number;
}

/** The values `run` gets for its options: a boolean always has one, a string or number has one if it has a default. */
export type ScenarioOptionValues<S extends ScenarioOptionSpecs> = {
  readonly [K in keyof S]: S[K]['type'] extends 'boolean'
    ? boolean
    : S[K] extends { readonly default: string | number }
      ? ValueTypes[S[K]['type']]
      : ValueTypes[S[K]['type']] | undefined;
};

/** What `defineScenario` takes. */
export interface ScenarioOptions<S extends ScenarioOptionSpecs> {
  /** Lower case with dashes; unique among the scenarios it is run with, and the name of its default journal. */
  readonly name: string;
  /** A few words. */
  readonly title: string;
  /** What the scenario is to show. */
  readonly goal: string;
  /** How it goes about it. */
  readonly method: string;
  /** How it ends when all is well; the checks prove it. */
  readonly expected: string;
  /** Worker threads when `--workers` is not given; default 0. For stories about threads. */
  readonly workers?: number;
  /** Beyond the common `--json --workers --journal --seed --help`. */
  readonly options?: S;
  /**
   * Whether the default journal of the last run is kept and gone on with; by default each run starts with a fresh one.
   * A journal given with `--journal` is always kept.
   */
  keepJournal?(options: ScenarioOptionValues<S>): boolean;
  /** Plays the story. It holds when this resolves and every check made is true; at least one check must be made. */
  run(ctx: ScenarioContext<ScenarioOptionValues<S>>): void | Promise<void>;
}

const BRAND = Symbol.for('troupe.scenario');

/** A scenario, ready to be exported and run. Frozen. */
export interface ScenarioDefinition<S extends ScenarioOptionSpecs = ScenarioOptionSpecs> extends ScenarioOptions<S> {
  readonly options: S;
  readonly [brand: symbol]: unknown;
}

/** Options every scenario has; a scenario's own may not be called so. */
export const COMMON_OPTIONS = {
  json: {
    type: 'boolean',
    description: 'print the result as one line of JSON; everything else goes to standard error',
  },
  workers: {
    type: 'string',
    placeholder: 'N|auto',
    default: '0',
    description: `worker threads, ${LIMITS.workers} at most; 0: everything on one thread, auto: one fewer than the cores`,
  },
  journal: {
    type: 'string',
    placeholder: 'FILE',
    description: 'the journal to use, kept and gone on with; without it a fresh one below .troupe/',
  },
  seed: {
    type: 'string',
    placeholder: 'N',
    default: '1',
    description: 'seed of everything the scenario draws by chance',
  },
  help: { type: 'boolean', description: 'show this help' },
} as const satisfies ScenarioOptionSpecs;

/** The common options as this scenario has them: a story about threads starts with some. */
export function commonOptions({ workers = 0 }: Pick<ScenarioDefinition, 'workers'>): typeof COMMON_OPTIONS {
  // The default of `workers` is any text, of which '0' is one.
  return { ...COMMON_OPTIONS, workers: { ...COMMON_OPTIONS.workers, default: String(workers) as '0' } };
}

/**
 * Defines a scenario. Export it from a module and run that with `troupe run FILE`.
 *
 * @throws TROUPE_INVALID_OPTIONS when a part is missing or malformed; the message names it.
 *
 * @example
 * export const coinToss = defineScenario({
 *   name: 'coin-toss',
 *   title: 'A fair coin',
 *   goal: 'Show that heads and tails come about equally often.',
 *   method: 'Toss a seeded coin many times and count.',
 *   expected: 'The share of heads is within one percent of a half.',
 *   options: { tosses: { type: 'number', default: 100_000, description: 'how many tosses' } },
 *   run(ctx) {
 *     let heads = 0;
 *     for (let toss = 0; toss < ctx.options.tosses; toss++) if (ctx.random() < 0.5) heads++;
 *     ctx.total('heads', heads);
 *     ctx.checkThat('the coin is fair', Math.abs(heads / ctx.options.tosses - 0.5) < 0.01);
 *   },
 * });
 */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- a scenario without options has none, and not any
export function defineScenario<const S extends ScenarioOptionSpecs = Record<never, never>>(
  scenario: ScenarioOptions<S>,
): ScenarioDefinition<S> {
  validate(scenario);
  const options: Record<string, ScenarioOptionSpec> = {};
  for (const [key, spec] of Object.entries(scenario.options ?? {})) options[key] = Object.freeze({ ...spec });
  // The copy has the keys and the values of `scenario.options`, hence its type.
  return Object.freeze({ ...scenario, options: Object.freeze(options) as unknown as S, [BRAND]: true });
}

/** Whether `value` was made by `defineScenario`, of this or of another copy of the package. */
export function isScenario(value: unknown): value is ScenarioDefinition {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** How an option's key is written on the command line, without the dashes. */
export function optionFlag(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function validate(scenario: ScenarioOptions<ScenarioOptionSpecs>): void {
  if (typeof scenario !== 'object' || scenario === null) {
    throw invalid('defineScenario takes an object with name, title, goal, method, expected and run', {});
  }
  const { name } = scenario;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name)) {
    throw invalid(
      `a scenario's name is lower-case letters, digits and dashes, such as 'coin-toss'; got ${showValue(name)}`,
      { name },
    );
  }
  for (const part of ['title', 'goal', 'method', 'expected'] as const) {
    if (typeof scenario[part] !== 'string' || scenario[part].trim() === '') {
      throw invalid(`scenario ${name}: ${part} must be a text that says what people will see`, { name, part });
    }
  }
  if (typeof scenario.run !== 'function')
    throw invalid(`scenario ${name}: run must be a function`, { name, part: 'run' });
  if (scenario.keepJournal !== undefined && typeof scenario.keepJournal !== 'function') {
    throw invalid(`scenario ${name}: keepJournal must be a function`, { name, part: 'keepJournal' });
  }
  const { workers = 0 } = scenario;
  if (!Number.isSafeInteger(workers) || workers < 0 || workers > LIMITS.workers) {
    throw invalid(
      `scenario ${name}: workers must be a whole number from 0 to ${LIMITS.workers}; got ${showValue(workers)}`,
      { name, part: 'workers' },
    );
  }
  validateOptions(name, scenario.options ?? {});
}

function validateOptions(name: string, options: ScenarioOptionSpecs): void {
  const flags = new Set(Object.keys(COMMON_OPTIONS));
  for (const [key, spec] of Object.entries(options)) {
    const flag = optionFlag(key);
    const facts = { name, option: key };
    // JavaScript may pass anything.
    const given: unknown = spec;
    if (typeof given !== 'object' || given === null) {
      throw invalid(
        `scenario ${name}: option ${key} is ${showValue(given)}; give { type, description, default }`,
        facts,
      );
    }
    if (!/^[a-z][a-zA-Z0-9-]*$/.test(key)) {
      throw invalid(
        `scenario ${name}: an option is called like 'failAt' (written --fail-at); got ${showValue(key)}`,
        facts,
      );
    }
    if (flags.has(flag))
      throw invalid(`scenario ${name}: there is an option --${flag} already; choose another name`, facts);
    flags.add(flag);
    if (!['string', 'boolean', 'number'].includes(spec.type)) {
      throw invalid(
        `scenario ${name}: the type of option ${key} is 'string', 'boolean' or 'number'; got ${showValue(spec.type)}`,
        facts,
      );
    }
    if (typeof spec.description !== 'string' || spec.description.trim() === '') {
      throw invalid(`scenario ${name}: option ${key} needs a description for --help`, facts);
    }
    if (spec.default !== undefined && typeof spec.default !== spec.type) {
      throw invalid(
        `scenario ${name}: the default of option ${key} must be a ${spec.type}; got ${showValue(spec.default)}`,
        facts,
      );
    }
  }
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): TroupeError {
  return new TroupeError('TROUPE_INVALID_OPTIONS', message, { details });
}
