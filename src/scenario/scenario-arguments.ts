/**
 * The command line of one scenario: the common options and its own, read and checked before anything happens.
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LIMITS } from '../core/limits.js';
import {
  commonOptions,
  type ScenarioDefinition,
  type ScenarioOptionSpecs,
  type ScenarioOptionValues,
} from './define-scenario.js';
import { parseOptions } from './option-parser.js';
import { ScenarioInputError } from './scenario-input-error.js';

/** What a run was asked for. */
export interface ScenarioArguments {
  readonly help: boolean;
  readonly json: boolean;
  readonly workers: number | 'auto';
  readonly seed: number;
  /** As given; undefined: the scenario's default journal. */
  readonly journal: string | undefined;
  readonly options: ScenarioOptionValues<ScenarioOptionSpecs>;
}

/** @throws ScenarioInputError with one line that says what to do. */
export function parseScenarioArguments(scenario: ScenarioDefinition, args: readonly string[]): ScenarioArguments {
  const { values, words } = parseOptions({ ...scenario.options, ...commonOptions(scenario) }, args);
  const all: Readonly<Record<string, string | number | boolean | undefined>> = values;
  const options = Object.fromEntries(Object.keys(scenario.options).map((key) => [key, all[key]]));
  const given = { help: values.help, json: values.json, options: Object.freeze(options) };
  // Who asks for help gets it, whatever else is still wrong.
  if (values.help) return { ...given, workers: 0, seed: 0, journal: undefined };

  const [word] = words;
  if (word !== undefined) {
    throw new ScenarioInputError(`'${word}' is no option; give values as in --journal FILE, see --help`);
  }
  return {
    ...given,
    workers: readWorkers(values.workers),
    seed: readSeed(values.seed),
    journal: readJournal(values.journal),
  };
}

function readWorkers(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (/^\d{1,4}$/.test(text) && Number(text) <= LIMITS.workers) return Number(text);
  throw new ScenarioInputError(`--workers takes a whole number from 0 to ${LIMITS.workers}, or auto; got '${text}'`);
}

function readSeed(text: string): number {
  const seed = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(seed)) return seed;
  throw new ScenarioInputError(`--seed takes a whole number from 0 to ${Number.MAX_SAFE_INTEGER}; got '${text}'`);
}

/** What can be seen to be wrong before the journal is opened, so that nothing is created by mistake. */
function readJournal(path: string | undefined): string | undefined {
  if (path === undefined || path === ':memory:') return path;
  const folder = dirname(path);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined)
    throw new ScenarioInputError(`--journal ${path}: there is no folder ${folder}; create it, or choose another`);
  if (!found.isDirectory())
    throw new ScenarioInputError(`--journal ${path}: ${folder} is no folder; choose another path`);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new ScenarioInputError(
      `--journal ${path} is a folder; give a file in it, such as ${path.replace(/\/+$/, '')}/journal.db`,
    );
  }
  return path;
}
