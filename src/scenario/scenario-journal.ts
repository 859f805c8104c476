/**
 * The journal of a run that was not given one: `.troupe/<name>.db` below the current folder, fresh each time.
 *
 * A journal that another process is using is left alone and the run refused, with TROUPE_JOURNAL_LOCKED.
 */
import { readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isTroupeError } from '../core/troupe-error.js';
import { lockJournal } from '../journal/journal-lock.js';
import { oneLine, ScenarioInputError } from './scenario-input-error.js';

const FOLDER = '.troupe';

/** What belongs to a journal, by what follows its name. The lock file stays: another process may be waiting on it. */
const OF_A_JOURNAL = /^(|-wal|-shm|-journal|\.views.*)$/;

/** The journal of a run. */
export interface ScenarioJournal {
  readonly path: string;
  /** The scenario is going to use it: what stood in its place is gone from now on. */
  take(): void;
  /** The run is over. A journal that was never taken is what it was before. */
  end(): Promise<void>;
}

/** A journal that was given, or is gone on with. */
export function keptJournal(path: string): ScenarioJournal {
  return { path, take() {}, async end() {} };
}

/**
 * Makes room for a scenario's default journal; `keep` leaves the old one in place. What makes room is set aside under
 * another name until the run takes its journal, so that bad input costs nobody the journal of the run before.
 */
export async function defaultJournal(name: string, keep: boolean): Promise<ScenarioJournal> {
  const path = join(FOLDER, `${name}.db`);
  try {
    await mkdir(FOLDER, { recursive: true });
    if (!keep) return await freshJournal(path);
    await restore(path);
    return keptJournal(path);
  } catch (error) {
    // Another process has the journal, or the driver is missing: the error says so by itself.
    if (isTroupeError(error)) throw error;
    const advice = 'give a file elsewhere with --journal FILE, or run in a folder that you may write to';
    throw new ScenarioInputError(`cannot use ${path} (${oneLine(error)}); ${advice}`, { cause: error });
  }
}

async function freshJournal(path: string): Promise<ScenarioJournal> {
  await move(path, path, asideOf(path));
  let isTaken = false;
  return {
    path,
    take() {
      if (isTaken) return;
      isTaken = true;
      for (const [file] of filesOf(asideOf(path))) rmSync(file);
    },
    async end() {
      if (!isTaken) await restore(path);
    },
  };
}

function asideOf(path: string): string {
  return `${path}.before`;
}

/** Puts back what is set aside, also by a run that was killed, unless there is a journal by now. */
async function restore(path: string): Promise<void> {
  if (filesOf(path).length === 0) await move(path, asideOf(path), path);
}

/** Gives the files of a journal another name, in place of what has that name, while nobody has the journal at `path`. */
async function move(path: string, from: string, to: string): Promise<void> {
  if (filesOf(from).length === 0) return;
  const lock = await lockJournal(join(realpathSync(FOLDER), basename(path)));
  try {
    for (const [file] of filesOf(to)) rmSync(file);
    for (const [file, part] of filesOf(from)) renameSync(file, `${to}${part}`);
  } finally {
    await lock.release();
  }
}

/** The files of a journal, each with what follows the journal's name. */
function filesOf(path: string): (readonly [file: string, part: string])[] {
  const name = basename(path);
  return readdirSync(FOLDER)
    .filter((entry) => entry.startsWith(name) && OF_A_JOURNAL.test(entry.slice(name.length)))
    .map((entry) => [join(FOLDER, entry), entry.slice(name.length)]);
}
