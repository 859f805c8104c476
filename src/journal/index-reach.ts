/**
 * How far the index in the file reaches: up to one position for all aggregates and, while a merge is on its way, up to a later
 * one for those with small numbers, whose rows are there already (`index-tail.ts`).
 *
 * Both stand in `meta` twice, once negated, so that a number that has changed is not believed: it would hide events.
 */
import { damaged } from './checksums.js';

/** For the result of a query that sees the index: `ReachRow`. */
export const REACH_COLUMNS = `(SELECT value FROM meta WHERE key = 'indexed_to') AS indexedTo,
  (SELECT value FROM meta WHERE key = 'index_ahead') AS indexAhead`;

export interface ReachRow {
  readonly indexedTo: number;
  /** By `encodeAhead`; null: never has a merge been on its way. */
  readonly indexAhead: string | null;
}

/** What `meta` says when no merge is on its way. */
export const NOTHING_AHEAD = encodeAhead(0, 0);

/** @param below aggregates with smaller numbers are there up to position `to` */
export function encodeAhead(to: number, below: number): string {
  return `[${to},${below},${-to},${-below}]`;
}

export class IndexReach {
  /** Position up to which it reaches for all aggregates. */
  readonly indexedTo: number;
  /** Where a merge is on its way to; 0: none is. */
  readonly aheadTo: number;
  /** Aggregates with smaller numbers are there already. */
  readonly aheadBelow: number;

  constructor(indexedTo: number, aheadTo = 0, aheadBelow = 0) {
    this.indexedTo = indexedTo;
    this.aheadTo = aheadTo;
    this.aheadBelow = aheadBelow;
  }

  /** @throws TROUPE_JOURNAL_CORRUPT when it is not what was written */
  static read({ indexedTo, indexAhead }: ReachRow): IndexReach {
    if (indexAhead === null || indexAhead === NOTHING_AHEAD) return new IndexReach(indexedTo);
    const [to = 0, below = 0] = parsed(indexAhead);
    if (encodeAhead(to, below) !== indexAhead) throw damaged('the end of the index', { indexAhead });
    return new IndexReach(indexedTo, to, below);
  }

  /** Position up to which it reaches for the aggregate with that number. */
  of(stream: number): number {
    return stream < this.aheadBelow ? this.aheadTo : this.indexedTo;
  }
}

function parsed(text: string): readonly number[] {
  try {
    const numbers: unknown = JSON.parse(text);
    // What isn't four numbers is not encoded as it was.
    return Array.isArray(numbers) ? (numbers as number[]) : [];
  } catch {
    return [];
  }
}
