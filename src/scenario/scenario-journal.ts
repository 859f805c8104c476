/**
 * The journal of a run that was not given one: `.troupe/<name>.db` below the current folder, fresh each time.
 *
 * A journal that another process is using is left alone and the run refused, with TROUPE_JOURNAL_LOCKED.
 */
import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isTroupeError } from '../core/troupe-error.js';
import { lockJournal } from '../journal/journal-lock.js';
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
    // Another process has the journal, or the driver is missing: the error says so by itself.
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
  if (old.length === 0) return;
  const lock = await lockJournal(join(await realpath(folder), file));
  try {
    await Promise.all(old.map((entry) => rm(join(folder, entry))));
  } finally {
    await lock.release();
  }
}
