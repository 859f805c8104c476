/**
 * Makes the tail of the index anew from the events themselves: at opening, for those that the file's index does
 * not reach, which after a clean stop are few.
 */
import { hashText } from '../core/fingerprint.js';
import { damaged } from './checksums.js';
import { parsePage } from './event-page.js';
import type { StoredPage } from './event-page.js';
import { IndexReach, REACH_COLUMNS, type ReachRow } from './index-reach.js';
import { IndexTail } from './index-tail.js';
import type { SqliteSession } from './sqlite-connection.js';
import { pagesFrom } from './sqlite-pages.js';
import { StreamHandle, streamKey } from './stream-handle.js';
import type { PageRow } from './stream-handle.js';

const READ_REACH = `
SELECT (SELECT -value FROM meta WHERE key = 'indexed_to_negated') AS again, ${REACH_COLUMNS}`;

const READ_NUMBERS = `
SELECT stream.stream AS number, wanted.key AS place
FROM json_each(?) AS wanted CROSS JOIN stream
  ON stream.aggregate = wanted.value ->> 0 AND stream.aggregate_id = wanted.value ->> 1`;

/** Pages per query. */
const PAGES = 256;

/** @throws TROUPE_JOURNAL_CORRUPT when a page is damaged. */
export async function readIndexTail(session: SqliteSession): Promise<IndexTail> {
  const meta = await session.get<ReachRow & { readonly again: number }>(READ_REACH);
  if (meta === undefined || meta.indexedTo !== meta.again) throw damaged('the end of the index', { ...meta });
  const reach = IndexReach.read(meta);
  const tail = new IndexTail(reach.indexedTo);
  // Also of a journal whose index is whole the newest page is looked at: behind it everything goes on.
  await pagesFrom(session, Number.MAX_SAFE_INTEGER, 1);
  for (let position = tail.indexedTo; ; ) {
    const pages = (await pagesFrom(session, position + 1, PAGES)).filter((page) => page.firstPosition > position);
    const last = pages.at(-1);
    if (last === undefined) return tail;
    const isAhead = (page: StoredPage): boolean => page.lastPosition <= reach.aheadTo;
    await addRows(tail, pages.filter(isAhead), reach, session);
    // The merge that was on its way goes on where it was.
    if (tail.indexedTo < reach.aheadTo && last.lastPosition >= reach.aheadTo) tail.merge();
    await addRows(
      tail,
      pages.filter((page) => !isAhead(page)),
      reach,
      session,
    );
    position = last.lastPosition;
  }
}

/** What the file's index doesn't have of these pages. */
async function addRows(
  tail: IndexTail,
  pages: readonly StoredPage[],
  reach: IndexReach,
  session: SqliteSession,
): Promise<void> {
  const last = pages.at(-1);
  if (last === undefined) return;
  const rows = await rowsOf(pages, session);
  tail.add(
    rows.filter(({ stream, position }) => position > reach.of(stream.number)),
    last.lastPosition,
  );
}

async function rowsOf(pages: readonly StoredPage[], session: SqliteSession): Promise<PageRow[]> {
  const rows: PageRow[] = [];
  const streams = new Map<string, StreamHandle>();
  for (const page of pages) {
    const events = parsePage(page);
    const inPage = new Map<string, PageRow>();
    for (let i = 0; i < events.length; i += 1) {
      const [aggregate, id, version, , , , commandId] = events[i] ?? unreachable();
      const key = streamKey(aggregate, id);
      let row = inPage.get(key);
      if (row === undefined) {
        const stream = streams.get(key) ?? new StreamHandle(aggregate, id, { number: 0, version, outcomeSeq: 0 });
        streams.set(key, stream);
        row = { stream, firstVersion: version, lastVersion: version, position: page.firstPosition + i, hashes: '' };
        inPage.set(key, row);
        rows.push(row);
      }
      row.lastVersion = version;
      const given = events[i]?.[10] ?? null;
      if (given !== null) row.hashes += row.hashes === '' ? hashText(given) : `,${hashText(given)}`;
      // The events of one command stand together; its last one is where the next is of another command.
      const next = events[i + 1];
      if (next === undefined || next[6] !== commandId || next[1] !== id || next[0] !== aggregate) {
        row.hashes += row.hashes === '' ? hashText(commandId) : `,${hashText(commandId)}`;
      }
    }
  }
  const handles = Array.from(streams.values());
  const wanted = JSON.stringify(handles.map(({ aggregate, id }) => [aggregate, id]));
  for (const { place, number } of await session.all<{ place: number; number: number }>(READ_NUMBERS, wanted)) {
    const handle = handles[place];
    if (handle !== undefined) handle.number = number;
  }
  return rows;
}

function unreachable(): never {
  throw new Error('an index below the length has an element');
}
