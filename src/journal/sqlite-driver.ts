/**
 * Loads the native SQLite driver when it is first needed, and says what to do when its binary is missing.
 *
 * npm 12 skips install scripts unless the application allows them; the package is then there without its
 * native part, which shows only when it is loaded. Programs with a journal in memory never get here.
 */
import type sqlite3 from 'sqlite3';
import { TroupeError } from '../core/troupe-error.js';

/** The driver's module. */
export type SqliteDriver = typeof sqlite3;

let loading: Promise<SqliteDriver> | undefined;

/** @throws TROUPE_INVALID_OPTIONS when the driver, or its native part, is not installed. */
export function loadSqliteDriver(): Promise<SqliteDriver> {
  loading ??= load(() => import('sqlite3'));
  return loading;
}

/** The import is handed in, so that a test can let it fail. */
export async function load(importDriver: () => Promise<{ readonly default: SqliteDriver }>): Promise<SqliteDriver> {
  try {
    const module = await importDriver();
    return module.default;
  } catch (cause) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      'the SQLite driver cannot be loaded: the native part of the package sqlite3 is missing or was built for another ' +
        'platform. npm 12 and later skip install scripts: put "allowScripts": { "sqlite3": true } into your package.json, ' +
        "then run `npm rebuild sqlite3`. To do without a file use journal: ':memory:'",
      { cause },
    );
  }
}
