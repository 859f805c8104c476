/**
 * The journal of a run that was not given one: `.troupe/<name>.db` below the current folder, fresh each time.
 *
 * A journal that another process is using is left alone: starting the system on it then says who is in the way.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SqliteConnection } from '../journal/sqlite-connection.js';
import { isTroupeError } from '../core/troupe-error.js';
import { oneLine, ScenarioInputError } from './scenario-input-error.js';

const FOLDER = '.troupe';

/** What belongs to a journal, by what follows its name. The lock file stays: another process may be waiting on it. */
const OF_A_JOURNAL = /^(|-wal|-shm|-journal|\.views.*)$/;

/** Makes room for a scenario's default journal and returns its path; `keep` leaves the old one in place. */
export async function freshJournal(name: string, keep: boolean): Promise<string> {
  const path = join(FOLDER, `${name}.db`);
  try {
    await mkdir(FOLDER, { recursive: true });
    if (!keep) await removeJournal(path);
  } catch (error) {
    if (isTroupeError(error)) throw error;
    const advice = 'give a file elsewhere with --journal FILE, or run in a folder that you may write to';
    throw new ScenarioInputError(`cannot use ${path} (${oneLine(error)}); ${advice}`, { cause: error });
  }
  return path;
}

async function removeJournal(path: string): Promise<void> {
  const folder = dirname(path);
  const file = basename(path);
  const entries = await readdir(folder);
  const old = entries.filter((entry) => entry.startsWith(file) && OF_A_JOURNAL.test(entry.slice(file.length)));
  if (old.length > 0) await whileUnused(path, () => Promise.all(old.map((entry) => rm(join(folder, entry)))));
}

/** Does something to the files of a journal under its lock, or nothing when another holds that. */
async function whileUnused(path: string, work: () => Promise<unknown>): Promise<void> {
  const lock = await SqliteConnection.open(`${path}.lock`, { mode: 'create', busyTimeoutMs: 0 });
  try {
    await lock.exec('BEGIN EXCLUSIVE');
    await work();
  } catch (error) {
    if (!isTroupeError(error, 'TROUPE_JOURNAL_LOCKED')) throw error;
  } finally {
    await lock.close();
  }
}
