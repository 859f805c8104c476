/**
 * The suites of a folder, by name: `NAME.js` exports the suite NAME. A new suite is a new file and nothing else.
 */
import { readdir } from 'node:fs/promises';
import { suggestion } from '../../src/core/did-you-mean.js';
import { ScenarioInputError } from '../../src/scenario/scenario-input-error.js';
import { isSuite, type Suite } from './suite.js';

/** A suite and where it came from, so that a child process can load it again. */
export interface FoundSuite {
  readonly suite: Suite;
  readonly module: URL;
}

/**
 * The suite of that name, or all of the folder (a URL that ends with a slash), in the order of their names.
 *
 * @throws ScenarioInputError when there is none of that name.
 */
export async function findSuites(folder: URL, name?: string): Promise<readonly FoundSuite[]> {
  const files = await readdir(folder);
  const names = files.filter((file) => file.endsWith('.js')).map((file) => file.replace(/\.js$/, ''));
  names.sort();
  if (name !== undefined && !names.includes(name)) {
    throw new ScenarioInputError(
      `there is no suite ${name}${suggestion(name, names) || `; there are ${names.join(', ')}`}`,
    );
  }
  const wanted = name === undefined ? names : [name];
  return Promise.all(wanted.map((one) => loadSuite(new URL(`${one}.js`, folder), one)));
}

/** @throws Error when the module does not export the suite that it is named for. */
export async function loadSuite(module: URL, name: string): Promise<FoundSuite> {
  // A module namespace is an object; nothing more is taken for granted.
  const exported = (await import(module.href)) as object;
  const suite = Object.values(exported).find((value): value is Suite => isSuite(value) && value.name === name);
  if (suite === undefined) throw new Error(`${module.pathname} exports no suite ${name}; see bench/harness/suite.ts`);
  return { suite, module };
}
