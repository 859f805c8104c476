/**
 * Reads the table of a projection that answers at the moment, and goes over to another one without a failed query.
 *
 * A read that a swap has overtaken, whatever came of it, is repeated on the new table: it might have asked the new
 * one for the columns of the old one.
 */
import type { SqliteValue } from '../journal/sqlite-connection.js';
import type { Row, RowKey, RowShape } from './row-shape.js';
import type { RowConditions } from './sqlite-view-conditions.js';
import { countMatching, type RowQuery, selectMatching } from './sqlite-view-query.js';
import type { QueriedTable } from './sqlite-view-terms.js';
import type { SqliteViews } from './sqlite-views.js';

export class ViewReader {
  readonly #views: SqliteViews;
  readonly #shape: RowShape;
  #table: QueriedTable;
  #swapping: Promise<void> | undefined;

  constructor(views: SqliteViews, shape: RowShape, table: QueriedTable) {
    this.#views = views;
    this.#shape = shape;
    this.#table = table;
  }

  /** Reads from another table from the end of the swap on; if it fails, all stays as it is. */
  async swapTo(table: QueriedTable, swap: Promise<void>): Promise<void> {
    const swapped = swap.then(() => {
      this.#table = table;
    });
    this.#swapping = swapped.catch(nothing);
    await swapped;
  }

  /** @typeParam Found a row as the caller knows it from the definition. */
  find<Found = Row>(query: RowQuery): Promise<Found[]> {
    return this.#read(async (table) => {
      const { text, params } = selectMatching(this.#shape, table, query);
      const records = await this.#views.reader.all<Record<string, unknown>>(text, ...params);
      // Rows have the columns of the definition.
      return records.map((record) => this.#shape.fromRecord(record) as Found);
    });
  }

  /** The rows that exist of some keys. */
  async rowsOf(keys: readonly RowKey[]): Promise<ReadonlyMap<RowKey, Row>> {
    const { name } = this.#shape.key;
    const rows = await this.find({ where: { [name]: keys } });
    // The key column of a stored row holds nothing else.
    return new Map(rows.map((row) => [row[name] as RowKey, row]));
  }

  count(where: RowConditions | undefined): Promise<number> {
    return this.#read(async (table) => {
      const { text, params } = countMatching(this.#shape, table, where);
      const answer = await this.#views.reader.get<{ count: number }>(text, ...params);
      return answer?.count ?? 0;
    });
  }

  /**
   * Refuses a query that can't be asked, without asking it.
   *
   * @throws TROUPE_INVALID_OPTIONS as `find` does.
   */
  check(query: RowQuery): void {
    selectMatching(this.#shape, this.#table, query);
  }

  /** Runs a statement of the user's that only reads. */
  query<Result>(text: string, params: readonly SqliteValue[]): Promise<Result[]> {
    return this.#views.query<Result>(text, params);
  }

  async #read<T>(query: (table: QueriedTable) => Promise<T>): Promise<T> {
    for (;;) {
      const table = this.#table;
      try {
        const answer = await query(table);
        await this.#swapping;
        if (table === this.#table) return answer;
      } catch (error) {
        await this.#swapping;
        if (table === this.#table) throw error;
      }
    }
  }
}

function nothing(): void {
  // Whoever began the swap hears of its failure.
}
