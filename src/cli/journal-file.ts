/**
 * The journal and the cast as tools open them: for reading, beside whoever writes.
 */
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { type JournalReader, openJournalReader } from '../journal/open-journal.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';
import { type Cast, loadCast } from '../system/cast.js';
import { assertJavaScript } from './scenario-files.js';

/**
 * Opens a journal for reading, without its lock, and closes it again.
 *
 * @throws ScenarioInputError for `:memory:`; TROUPE_INVALID_OPTIONS, TROUPE_JOURNAL_CORRUPT as `openJournalReader`.
 */
export async function withReader<T>(path: string, use: (reader: JournalReader) => Promise<T>): Promise<T> {
  if (path === ':memory:') {
    throw new ScenarioInputError('a journal in memory ends with its system; give the path of a file');
  }
  const reader = await openJournalReader(path);
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}

/**
 * Loads the definitions that a module exports.
 *
 * @throws ScenarioInputError when it was not given, or is no JavaScript file; TROUPE_INVALID_OPTIONS as `loadCast`.
 */
export async function castFrom(file: string | undefined, purpose: string): Promise<Cast> {
  return loadCast(await castUrl(file, purpose));
}

/** The URL of the module given as `--cast`. */
export async function castUrl(file: string | undefined, purpose: string): Promise<URL> {
  if (file === undefined) {
    throw new ScenarioInputError(
      `${purpose} needs your code: give the module that exports your definitions with --cast FILE`,
    );
  }
  await assertJavaScript(file);
  return pathToFileURL(resolve(file));
}
