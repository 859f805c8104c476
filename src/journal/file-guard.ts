/**
 * Notices that the journal's file is not the one that is being written any more: moved, deleted, or replaced by a copy.
 *
 * The operating system goes on writing to the file that was opened, whatever stands under its name now; what is
 * acknowledged then is gone with the process. So every commit looks, while it is on its way to the disk, whether file
 * and log still have the names they were opened by. Put back, they are the same again, and writing goes on.
 */
import { stat } from 'node:fs';
import { systemClock } from '../core/clock.js';
import { TroupeError } from '../core/troupe-error.js';

/** Which file it is, whatever its name. */
interface FileMark {
  readonly device: number;
  readonly inode: number;
}

/**
 * Milliseconds between two looks at the log: nobody moves it alone, and each look costs a commit some 20 µs of processor
 * time.
 */
const LOG_EVERY_MS = 20;

export class FileGuard {
  readonly #path: string;
  readonly #marks = new Map<string, FileMark>();
  #logLookedAtMs = Number.NEGATIVE_INFINITY;

  /** @param path of the database; it is open, and so is its log. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Resolves when the file is the one of the first call; now and then the log is looked at too.
   *
   * @throws TROUPE_JOURNAL_WRITE_FAILED when one is not
   */
  check(): Promise<void> {
    const now = systemClock.monotonic();
    if (now - this.#logLookedAtMs < LOG_EVERY_MS) return this.#checkFile(this.#path);
    return this.#checkFile(this.#path).then(async () => {
      await this.#checkFile(`${this.#path}-wal`);
      this.#logLookedAtMs = now;
    });
  }

  async #checkFile(path: string): Promise<void> {
    const found = await markOf(path);
    const mark = this.#marks.get(path);
    if (mark === undefined) {
      // The log is there from the first write on.
      if (found !== undefined) this.#marks.set(path, found);
      return;
    }
    if (found?.inode === mark.inode && found.device === mark.device) return;
    throw new TroupeError(
      'TROUPE_JOURNAL_WRITE_FAILED',
      `${path} was ${found === undefined ? 'moved or deleted' : 'replaced by another file'} while it was open; ` +
        'put the file back where it was, or stop the system: what it writes goes to the old one',
      { details: { path } },
    );
  }
}

function markOf(path: string): Promise<FileMark | undefined> {
  return new Promise((resolve, reject) => {
    stat(path, (error, found) => {
      if (error === null) resolve({ device: found.dev, inode: found.ino });
      else if (error.code === 'ENOENT' || error.code === 'ENOTDIR') resolve(undefined);
      else reject(error);
    });
  });
}
