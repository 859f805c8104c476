/** Every bound of the journal in one place, with unit and reason. */
export const JOURNAL_LIMITS = {
  /** Events in one page. A page is read whole, so a sparse aggregate pays for its neighbours; fewer cost more rows. */
  pageEvents: 16,
  /** Characters in one page; an entry that is longer has a page of its own. Up to this it stays in two SQLite pages. */
  pageChars: 6_000,
  /** Pages in one commit: the slots of the commit statement. */
  groupPages: 64,
  /** Events in one commit; more of them gain little, but each one waits for all. */
  groupEvents: 512,
  /** Entries in one commit, those without events too. */
  groupItems: 4_096,
  /** Characters in one commit, so that its texts stay small beside the heap. */
  groupChars: 4_000_000,
  /** Index rows that gather in memory before a commit takes them into the file: about 3 MB, read again after a crash in 0.1 s. */
  tailRows: 16_384,
  /** Outcomes without events kept for each aggregate, unless told otherwise. */
  outcomes: 1_000,
  /** Pages visited for one answer of `readStream`. */
  readSpans: 64,
  /** Characters of the index read for one answer of `readStream`: some 500 pages. */
  indexChars: 8_000,
  /** Events in one page of `readStream` and, at most, of `read`. */
  readEvents: 1_000,
  /** Characters of pages read for one answer, so that the heap stays flat however large the events are. */
  readChars: 2_000_000,
} as const;
