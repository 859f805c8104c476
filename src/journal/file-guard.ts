/**
 * Notices that the journal's file is not the one that is being written any more: moved, deleted, or replaced by a copy.
 *
 * The operating system goes on writing to the file that was opened, whatever stands under its name now; what is
 * acknowledged then is gone with the process. So beside each commit goes a look: have file and log still the names they
 * were opened by? Put back, they are the same again, and writing goes on. A file that leaves just behind the look takes
 * the commit along, as it would if it left just behind the acknowledgement. The look is a plain call, not a trip to
 * libuv's pool: what it asks is in the memory of the operating system, 4 µs beside the 100 that waking a thread costs.
 */
import { statSync } from 'node:fs';
import { TroupeError } from '../core/troupe-error.js';

/** Which file it is, whatever its name. */
interface FileMark {
  readonly device: number;
  readonly inode: number;
}

export class FileGuard {
  readonly #paths: readonly string[];
  readonly #marks = new Map<string, FileMark>();

  /** @param path of the database; it is open, and so is its log. */
  constructor(path: string) {
    this.#paths = [path, `${path}-wal`];
  }

  /** TROUPE_JOURNAL_WRITE_FAILED when one of both is not the file of the first look. */
  look(): TroupeError | undefined {
    for (const path of this.#paths) {
      const found = markOf(path);
      const mark = this.#marks.get(path);
      if (mark === undefined) {
        // The log is there from the first write on.
        if (found !== undefined) this.#marks.set(path, found);
      } else if (found?.inode !== mark.inode || found.device !== mark.device) {
        return goneFrom(path, found === undefined ? 'moved or deleted' : 'replaced by another file');
      }
    }
    return undefined;
  }
}

function markOf(path: string): FileMark | undefined {
  // That nothing is there comes as undefined, also when a folder on the way is missing.
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : { device: found.dev, inode: found.ino };
}

function goneFrom(path: string, what: string): TroupeError {
  return new TroupeError(
    'TROUPE_JOURNAL_WRITE_FAILED',
    `${path} was ${what} while it was open; ` +
      'put the file back where it was, or stop the system: what it writes goes to the old one',
    { details: { path } },
  );
}
