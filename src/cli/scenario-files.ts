/**
 * Finds scenarios in JavaScript files: imports a file and picks what `defineScenario` made among its exports.
 */
import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isScenario, type ScenarioDefinition } from '../scenario/define-scenario.js';
import { oneLine, ScenarioInputError } from '../scenario/scenario-input-error.js';

const TYPESCRIPT = new Set(['.ts', '.tsx', '.mts', '.cts']);
const JAVASCRIPT = new Set(['.js', '.mjs', '.cjs']);

/**
 * The scenarios that a file exports, each once, by default or by name.
 *
 * @throws ScenarioInputError when there is no such file, it is no JavaScript, it fails to load, or it exports no scenario.
 */
export async function loadScenarios(file: string): Promise<readonly ScenarioDefinition[]> {
  await assertJavaScript(file);
  const scenarios = await scenariosOf(pathToFileURL(resolve(file)));
  if (scenarios.length === 0) {
    throw new ScenarioInputError(`${file} exports no scenario; write: export const story = defineScenario({ ... })`);
  }
  const names = scenarios.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ScenarioInputError(`${file} exports two scenarios called ${twice}; rename one`);
  return scenarios;
}

/**
 * The scenarios among a module's exports; none if there are none.
 *
 * @throws ScenarioInputError when the module fails to load.
 */
export async function scenariosOf(module: URL): Promise<ScenarioDefinition[]> {
  let exported: object;
  try {
    // A module namespace is an object; nothing more is taken for granted.
    exported = (await import(module.href)) as object;
  } catch (error) {
    throw new ScenarioInputError(`cannot load ${fileURLToPath(module)}: ${loadProblem(error, module)}`, {
      cause: error,
    });
  }
  const values: unknown[] = Object.values(exported);
  // A CommonJS module comes as one default export with the scenarios in it.
  const whole: unknown = 'default' in exported ? exported.default : undefined;
  if (typeof whole === 'object' && whole !== null && !isScenario(whole)) {
    const inside: unknown[] = Object.values(whole);
    values.push(...inside);
  }
  return [...new Set(values.filter(isScenario))];
}

/** @throws ScenarioInputError when there is no such file, or it is no JavaScript */
export async function assertJavaScript(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  const extension = extname(file);
  if (found === undefined) throw new ScenarioInputError(`there is no file ${file}; give the path of a JavaScript file`);
  if (found.isDirectory()) throw new ScenarioInputError(`${file} is a folder; give the JavaScript file in it`);
  if (TYPESCRIPT.has(extension)) {
    throw new ScenarioInputError(`${file} is TypeScript; compile it first (npx tsc) and give the .js file`);
  }
  if (!JAVASCRIPT.has(extension)) throw new ScenarioInputError(`${file} is no JavaScript file (.js, .mjs or .cjs)`);
}

/** What went wrong, and where in the user's own code, on one line. */
function loadProblem(error: unknown, module: URL): string {
  const what = error instanceof Error ? `${error.name}: ${oneLine(error)}` : oneLine(error);
  const missing = /Cannot find package '([^']+)'/.exec(what)?.[1];
  if (missing !== undefined) return `${what}; install it: npm install ${missing}`;
  const where = placeIn(error instanceof Error ? (error.stack ?? '') : '', module);
  return where === undefined ? what : `${what} (at ${where})`;
}

/** The first place of the user's code in a stack: in the module itself if it is there, else in any file outside Node. */
function placeIn(stack: string, module: URL): string | undefined {
  const places = [...stack.matchAll(/(?:file:\/\/)?(\/[^\s()]+:\d+(?::\d+)?)/g)].map(([, place]) => place ?? '');
  const path = fileURLToPath(module);
  return (
    places.find((place) => place.startsWith(`${path}:`)) ?? places.find((place) => !place.includes('/node_modules/'))
  );
}
