/**
 * The view of a projection: how its rows are asked for, watched and waited for.
 *
 * Reads have a connection of their own and never wait for the fold. What they see is whole batches of durable
 * events. A view follows the journal with a delay; `caughtUp` is for whoever has to see an event of their own.
 */
import type { Observable } from 'rxjs';
import { type Duration, parseDuration } from '../core/duration.js';
import { LIMITS } from '../core/limits.js';
import { OptionReader } from '../core/option-reader.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { RowKey } from './row-shape.js';
import type { RunningProjection } from './running-projection.js';

/** What a column's value is compared with: all that are given have to hold. Text is compared by code points. */
export interface Comparison<Value> {
  readonly gt?: Value;
  readonly gte?: Value;
  readonly lt?: Value;
  readonly lte?: Value;
  /** Unequal; rows without a value are unequal to any. */
  readonly ne?: Value | null;
  /** A pattern with `%` for any text and `_` for one character; case makes no difference in ASCII. Text columns only. */
  readonly like?: string;
}

/** Conditions by column, all of which have to hold: a value, null, several values (one of them), or comparisons. */
export type Conditions<Row> = {
  readonly [Name in keyof Row]?: Row[Name] | null | readonly (Row[Name] | null)[] | Comparison<NonNullable<Row[Name]>>;
};

/** What `find` selects. */
export interface Query<Row> {
  /** Default: every row. */
  readonly where?: Conditions<Row> | undefined;
  /** By these columns, in the order written; then, as without it, by the key. */
  readonly orderBy?: { readonly [Name in keyof Row]?: 'asc' | 'desc' } | undefined;
  /** Rows at most. Default: all. */
  readonly limit?: number | undefined;
  /** Rows left out at the beginning. Default 0. */
  readonly offset?: number | undefined;
}

/**
 * A read model, to be asked. Got by `system.view(projection)`.
 *
 * @typeParam Row a row, by the columns of the projection. Rows are frozen.
 */
export interface View<Row> {
  /** The row of a key, undefined when there is none. */
  get(key: string | number): Promise<Row | undefined>;
  /**
   * The rows that match, in order.
   *
   * @throws TROUPE_INVALID_OPTIONS for a column that isn't there, or a value that its type can't equal.
   * @example
   * const best = await system.view(stock).find({ where: { on_hand: { gt: 0 } }, orderBy: { sold: 'desc' }, limit: 5 });
   */
  find(query?: Query<Row>): Promise<Row[]>;
  /** How many rows match. */
  count(query?: { readonly where?: Conditions<Row> | undefined }): Promise<number>;
  /**
   * The row of a key: as it is now, then after each batch that changed it; undefined while there is none. Several
   * changes in one batch come as one. A subscriber that throws is logged, stays subscribed, and harms nobody.
   */
  watch(key: string | number): Observable<Row | undefined>;
  /**
   * Resolves when every event up to `position` is in the rows.
   *
   * @param position default: the last event committed at the time of the call.
   * @param options.timeout default 30 s; Infinity may be asked for.
   * @throws TROUPE_ASK_TIMEOUT naming how far behind it is.
   * @throws the projection's own error, at once, when it stands still before that position.
   */
  caughtUp(position?: number, options?: { readonly timeout?: Duration }): Promise<void>;
  /**
   * Builds the rows anew from the first event, beside those that answer meanwhile; resolves when they have taken
   * their place. A rebuild that is under way is joined. After a kill it goes on at the next start.
   */
  rebuild(): Promise<void>;
  /**
   * Rows of a read-only statement, for what `find` can't say. Tables are named like their projections, `-` and `.`
   * as `_`; json columns come as text.
   *
   * @throws TROUPE_INVALID_OPTIONS when it isn't one `select`, `with` or `values`, or SQLite refuses it.
   * @example
   * const [top] = await system.view(orders).sql('select country, count(*) as n from orders group by 1 order by n desc limit ?', [1]);
   */
  sql<Result = Readonly<Record<string, unknown>>>(
    text: string,
    params?: readonly (string | number | null)[],
  ): Promise<Result[]>;
}

/** @typeParam Row a row, by the columns of the projection: what `RowOf` makes of the same definition. */
export class ProjectionView<Row> implements View<Row> {
  readonly #projection: RunningProjection;
  readonly #head: () => number;

  /** @param head position of the last committed event */
  constructor(projection: RunningProjection, head: () => number) {
    this.#projection = projection;
    this.#head = head;
  }

  async get(key: string | number): Promise<Row | undefined> {
    const { name } = this.#projection.plan.shape.key;
    const [row] = await this.#projection.reader.find<Row>({ where: { [name]: this.#key('get()', key) } });
    return row;
  }

  async find(query: Query<Row> = {}): Promise<Row[]> {
    checkOptions('find()', query, ['where', 'orderBy', 'limit', 'offset']);
    return this.#projection.reader.find<Row>(query);
  }

  async count(query: { readonly where?: Conditions<Row> | undefined } = {}): Promise<number> {
    checkOptions('count()', query, ['where']);
    return this.#projection.reader.count(query.where);
  }

  watch(key: string | number): Observable<Row | undefined> {
    return this.#projection.watch<Row>(this.#key('watch()', key));
  }

  async caughtUp(position: number = this.#head(), options: { readonly timeout?: Duration } = {}): Promise<void> {
    checkOptions('caughtUp()', options, ['timeout']);
    if (!Number.isSafeInteger(position) || position < 0) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `caughtUp(): position is ${showValue(position)}; give a whole number of 0 or more`,
      );
    }
    const timeoutMs =
      options.timeout === undefined
        ? LIMITS.settledTimeoutMs
        : parseDuration(options.timeout, 'caughtUp(): option "timeout"', { infinite: true });
    await this.#projection.caughtUp(position, timeoutMs);
  }

  rebuild(): Promise<void> {
    return this.#projection.rebuild();
  }

  async sql<Result>(text: string, params: readonly (string | number | null)[] = []): Promise<Result[]> {
    return this.#projection.reader.query<Result>(text, params);
  }

  #key(owner: string, key: unknown): RowKey {
    const { name, shape } = this.#projection.plan;
    return shape.acceptKey(key, `${owner}: the key of ${name}`);
  }
}

function checkOptions(owner: string, value: object, known: readonly string[]): void {
  // Its constructor refuses what isn't known.
  void new OptionReader(owner, value, known);
}
