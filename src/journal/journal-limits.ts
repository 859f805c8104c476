/** Every bound of the journal in one place, with unit and reason. */
export const JOURNAL_LIMITS = {
  /** Events in one page. */
  pageEvents: 16,
  /**
   * Characters in one page; an entry that is longer has a page of its own. A page is read whole, so an aggregate whose
   * events are far apart pays for their neighbours: at 1,200 characters (4 or 5 events) 16 µs for each of its events,
   * at 4,000 28 µs. Writing costs 0.6 µs an event more than at 4,000.
   */
  pageChars: 1_200,
  /** Pages in one commit: the slots of the commit statement. */
  groupPages: 128,
  /** Pages up to which a commit takes the statement with few slots, because each slot costs, used or not. */
  fewPages: 8,
  /** Pages up to which a commit of nothing else is a plain insert, with a statement for each number of them. */
  plainPages: 32,
  /**
   * Events in one commit. More of them save little, but each one waits for all; and with 1,000 in flight two groups
   * of 500 take turns, one in JavaScript while the other is on its way to the disk.
   */
  groupEvents: 512,
  /** Entries in one commit, those without events too. */
  groupItems: 4_096,
  /** Characters in one commit, so that its texts stay small beside the heap. */
  groupChars: 4_000_000,
  /**
   * Index rows that gather in memory before a commit takes them into the file: about 12 MB, read again after a crash in
   * half a second. An aggregate has one row in a merge, however many it has gathered: at 16,384 with 10,000 aggregates
   * the merges cost 4 of 20 µs of processor time for each command.
   */
  tailRows: 65_536,
  /**
   * Pages that a row of the index names, at most. A row is read whole, so the place of an event or a command costs
   * what a row costs, however many there are: 2 to 15 KB of text.
   */
  indexRowPages: 64,
  /**
   * Rows of a merge that one commit takes along at least. It takes half as many as it brings: so the tail grows to three times its
   * size at worst. As many would let commits grow under load, and with them what they take along.
   */
  mergeSlice: 64,
  /** The same in the quiet, where nobody waits for long. */
  quietSlice: 2_048,
  /** Rows that rather stay in memory, in the quiet and at a stop: many small merges would make a large, slow index. */
  tailRowsLeft: 1_024,
  /** Outcomes without events kept for each aggregate, unless told otherwise. */
  outcomes: 1_000,
  /** Pages visited for one answer of `readStream`, or one step of `replayStream`. */
  readSpans: 512,
  /** Events in one answer of `readStream`: fewer answers, each on the heap. */
  replayEvents: 4_096,
  /** Characters of pages read for one step of `replayStream`, whose events are folded one by one. */
  replayEach: 8_000_000,
  /** Characters of pages read for all the steps of one sweep; beyond, each gets what it has, or one page. */
  replayChars: 32_000_000,
  /** Characters of the pages that are folded between two looks at the event loop, while the next are read: some 10,000 events. */
  sweepChars: 1_000_000,
  /** Runs of pages asked for at once: as many as have that many characters when they are single pages. */
  sweepRuns: 1_024,
  /** Positions looked up in one query. */
  readPositions: 4_096,
  /** Characters of the index read for one answer of `read`: some 500 pages. */
  indexChars: 8_000,
  /** Rows of the index read for one answer of `readStream`, or one step of `replayStream`: 18 KB, should they all be full. */
  indexRows: 16,
  /** Events in one page of `readStream` and, at most, of `read`. */
  readEvents: 1_000,
  /** Pages in one answer, about as many as hold the events of one. */
  readPages: 256,
  /** Characters of pages read for one answer, so that the heap stays flat however large the events are. */
  readChars: 2_000_000,
} as const;
