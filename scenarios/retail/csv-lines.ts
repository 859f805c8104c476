/**
 * The lines of a text file, plain or gzip, in batches as they come from the disk.
 *
 * Gzip is told by its first two bytes, not by the name. Whatever is wrong with the file as a whole (missing, a
 * directory, empty, damaged) is one `ScenarioInputError` that says what to do.
 */
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ScenarioInputError } from 'troupe';

/** Characters kept of one line. A longer one is cut, so that it lacks columns and is refused as a row; memory stays flat. */
const MAX_LINE_LENGTH = 65_536;

export async function* readLines(file: string): AsyncGenerator<readonly string[]> {
  try {
    const decoder = new TextDecoder();
    let rest = '';
    let isCut = false; // `rest` belongs to a line that was too long and has been yielded.
    let isEmpty = true;
    for await (const chunk of await openBytes(file)) {
      isEmpty = false;
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (isCut && lines.length > 0) {
        lines.shift();
        isCut = false;
      }
      if (isCut) rest = '';
      else if (rest.length > MAX_LINE_LENGTH) {
        lines.push(rest.slice(0, MAX_LINE_LENGTH));
        rest = '';
        isCut = true;
      }
      if (lines.length > 0) yield lines.map(withoutReturn);
    }
    if (isEmpty) throw new ScenarioInputError(`${file} is empty: give a CSV file with a header line`);
    rest += decoder.decode();
    if (rest !== '' && !isCut) yield [withoutReturn(rest)];
  } catch (error) {
    throw asInputError(file, error);
  }
}

async function openBytes(file: string): Promise<AsyncIterable<Uint8Array>> {
  const source = createReadStream(file, { highWaterMark: 262_144 });
  const chunks: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  const first = await chunks.next();
  const bytes = again(first, chunks);
  if (first.done || first.value[0] !== 0x1f || first.value[1] !== 0x8b) return bytes;
  const unzipped = createGunzip({ chunkSize: 262_144 });
  // An error of either end destroys the other with it and surfaces where `unzipped` is read.
  pipeline(Readable.from(bytes), unzipped, () => {});
  return unzipped;
}

async function* again(
  first: IteratorResult<Uint8Array>,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let next = first; !next.done; next = await chunks.next()) yield next.value;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function asInputError(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'ENOENT':
      return new ScenarioInputError(`${file} does not exist: give the path of a CSV file, plain or gzip`);
    case 'EISDIR':
      return new ScenarioInputError(`${file} is a directory: give the path of a CSV file in it`);
    case 'EACCES':
    case 'EPERM':
      return new ScenarioInputError(`${file} may not be read: change its permissions or give another file`);
    case 'Z_BUF_ERROR':
      return new ScenarioInputError(
        `${file} ends in the middle of its gzip data: fetch it again; nothing was replayed`,
      );
    case 'Z_DATA_ERROR':
      return new ScenarioInputError(
        `${file} holds damaged gzip data (${error.message}): fetch it again; nothing was replayed`,
      );
    default:
      return typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)
        ? new ScenarioInputError(`${file} can't be read (${error.code}): give another file`)
        : error;
  }
}
