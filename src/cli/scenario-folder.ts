/**
 * The scenarios of a folder, by name: `NAME.js` or `NAME/NAME.js`, each exporting a scenario called NAME. A new one is a
 * new file and nothing else.
 */
import { readdir } from 'node:fs/promises';
import { suggestion } from '../core/did-you-mean.js';
import { COMMON_OPTIONS, type ScenarioDefinition } from '../scenario/define-scenario.js';
import { parseOptions, takeWord } from '../scenario/option-parser.js';
import { reportError, runScenario } from '../scenario/run-scenario.js';
import { EXIT_CODES, optionLines } from '../scenario/scenario-help.js';
import { EXIT, type ScenarioHost } from '../scenario/scenario-host.js';
import { oneLine, ScenarioInputError } from '../scenario/scenario-input-error.js';
import { openTerminal } from '../scenario/terminal.js';
import { listLines } from './run-command.js';
import { scenariosOf } from './scenario-files.js';

/** Where the scenarios are, and how people start them. */
export interface ScenarioFolder {
  /** Ends with a slash. */
  readonly url: URL;
  /** Such as `npm run scenario --`. */
  readonly command: string;
}

const FOLDER_OPTIONS = {
  ...COMMON_OPTIONS,
  list: { type: 'boolean', description: 'list all scenarios' },
} as const;

/** Runs the scenario that `args` name, or lists all, or helps; resolves with the exit code. */
export async function runFromFolder(
  folder: ScenarioFolder,
  args: readonly string[],
  host: ScenarioHost,
): Promise<number> {
  const problems = openTerminal(host.stderr, host.env);
  const { word: name, rest } = takeWord(COMMON_OPTIONS, args);
  try {
    const modules = await findModules(folder.url);
    if (name !== undefined) {
      const scenario = await loadByName(modules, name, folder);
      return await runScenario(scenario, rest, host, `${folder.command} ${name}`);
    }
    const { values } = parseOptions(FOLDER_OPTIONS, rest);
    if (values.help) return await help(folder, modules, host);
    if (values.list) return await list(modules, host);
    throw new ScenarioInputError(
      `which scenario? ${folder.command} NAME, where NAME is one of: ${[...modules.keys()].join(', ')}`,
    );
  } catch (error) {
    return reportError('scenario', error, problems);
  }
}

/** Modules by the name that their scenario must have. */
async function findModules(folder: URL): Promise<Map<string, URL>> {
  const entries = await readdir(folder, { withFileTypes: true });
  const modules = new Map<string, URL>();
  for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const name = entry.name.replace(/\.js$/, '');
    if (entry.isFile() && name !== entry.name && name !== 'run') modules.set(name, new URL(entry.name, folder));
    if (!entry.isDirectory()) continue;
    const inner = await readdir(new URL(`${name}/`, folder));
    if (inner.includes(`${name}.js`)) modules.set(name, new URL(`${name}/${name}.js`, folder));
  }
  return modules;
}

async function loadByName(
  modules: ReadonlyMap<string, URL>,
  name: string,
  folder: ScenarioFolder,
): Promise<ScenarioDefinition> {
  const module = modules.get(name);
  const found =
    module === undefined ? undefined : (await scenariosOf(module)).find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  throw new ScenarioInputError(
    `there is no scenario ${name}${suggestion(name, [...modules.keys()]) || `; see ${folder.command} --list`}`,
  );
}

async function list(modules: ReadonlyMap<string, URL>, host: ScenarioHost): Promise<number> {
  const out = openTerminal(host.stdout, host.env);
  const { scenarios, problems } = await loadAll(modules);
  for (const line of listLines(scenarios, out)) out.line(line);
  for (const problem of problems) host.stderr.write(`${problem}\n`);
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

async function help(folder: ScenarioFolder, modules: ReadonlyMap<string, URL>, host: ScenarioHost): Promise<number> {
  const out = openTerminal(host.stdout, host.env);
  const { palette } = out;
  const { scenarios } = await loadAll(modules);
  const lines = [
    'Runs a scenario: a short story on the Troupe API that ends in checks.',
    '',
    palette.bold('Usage'),
    `  ${folder.command} NAME [options]`,
    `  ${folder.command} NAME --help   what it is about, and its own options`,
    `  ${folder.command} --list        all scenarios`,
    '',
    palette.bold('Scenarios'),
    ...listLines(scenarios, out),
    '',
    palette.bold('Options'),
    ...optionLines(COMMON_OPTIONS, out),
    '',
    palette.bold('Exit code'),
    ...EXIT_CODES.map((line) => `  ${line}`),
  ];
  for (const line of lines) out.line(line);
  return EXIT.ok;
}

/** All scenarios; one whose module fails to load doesn't hide the others. */
async function loadAll(
  modules: ReadonlyMap<string, URL>,
): Promise<{ scenarios: ScenarioDefinition[]; problems: string[] }> {
  const scenarios: ScenarioDefinition[] = [];
  const problems: string[] = [];
  for (const [name, module] of modules) {
    try {
      scenarios.push(...(await scenariosOf(module)).filter((scenario) => scenario.name === name));
    } catch (error) {
      problems.push(oneLine(error));
    }
  }
  return { scenarios, problems };
}
