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
import type { LiveValues } from '../streams/live-values.js';
import type { BuildProgress } from './build-progress.js';
import type { RowKey } from './row-shape.js';
import type { RunningProjection } from './running-projection.js';

/** What a column's value is compared with: all that are given have to hold. Text is compared by code points. */
export interface Comparison<Value> {
  readonly gt?: Value;
  readonly gte?: Value;
  readonly lt?: Value;
  readonly lte?: Value;
  readonly eq?: Value | null;
  /** Unequal; rows without a value are unequal to any. */
  readonly ne?: Value | null;
  /** One of these. */
  readonly in?: readonly (Value | null)[];
  /** None of these; rows without a value are in no list. */
  readonly notIn?: readonly (Value | null)[];
  /** A pattern with `%` for any text and `_` for one character; case makes no difference in ASCII. Text columns only. */
  readonly like?: string;
}

/** Conditions by column, all of which have to hold: a value, null, several values (one of them), or comparisons. */
export type Conditions<Row> = {
  readonly [Name in keyof Row]?: unknown extends Row[Name]
    ? JsonCondition
    : Row[Name] | null | readonly (Row[Name] | null)[] | Comparison<NonNullable<Row[Name]>>;
} & { readonly [Place in JsonPlace<Row>]?: PlaceCondition };

/** A place in a json column: `address.city`, `lines[0].sku`. */
export type JsonPlace<Row> = `${JsonColumn<Row>}.${string}` | `${JsonColumn<Row>}[${number}]${string}`;
type JsonColumn<Row> = { [Name in keyof Row & string]: unknown extends Row[Name] ? Name : never }[keyof Row & string];

/** What a json column is asked for as a whole: whether it has a value, or an item. */
export type JsonCondition = null | { readonly ne: null } | { readonly contains: JsonScalar };

/** What stands at a place in a json column; `true` equals 1 and `false` 0, and what is absent is null. */
export type PlaceCondition =
  | JsonScalar
  | readonly JsonScalar[]
  | (Comparison<string | number | boolean> & { readonly contains?: JsonScalar });

type JsonScalar = string | number | boolean | null;

/** What `find` selects. */
export interface Query<Row> {
  /** Default: every row. */
  readonly where?: Conditions<Row> | undefined;
  /** By these columns, in the order written; then, as without it, by the key. */
  readonly orderBy?:
    | ({ readonly [Name in keyof Row]?: 'asc' | 'desc' } & { readonly [Place in JsonPlace<Row>]?: 'asc' | 'desc' })
    | undefined;
  /** Rows at most. Default: all. */
  readonly limit?: number | undefined;
  /** Rows left out at the beginning. Default 0. */
  readonly offset?: number | undefined;
  /**
   * Only rows behind this one in the order: the last row of the page before, or of it what it is ordered by, and the
   * key. However long the list is, the next page costs the same, and rows that come and go shift nothing.
   */
  readonly after?: Partial<Row> | Readonly<Record<string, unknown>> | undefined;
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
  watch(key: string | number): LiveValues<Row | undefined>;
  /**
   * What a query finds: now, then anew after each batch that changed rows, if the answer is another one. Coalesced:
   * while one read is under way, further changes lead to one more. With `for await` a slow consumer gets the newest
   * state each time, and leaves out what came in between.
   *
   * @param options.every time between two reads, at least; default none.
   * @throws TROUPE_INVALID_OPTIONS as `find`, at once.
   * @example
   * for await (const top of system.view(stock).watchAll({ orderBy: { sold: 'desc' }, limit: 10 })) {
   *   console.log(top.length);
   *   break;
   * }
   */
  watchAll(query?: Query<Row>, options?: { readonly every?: Duration }): LiveValues<readonly Row[]>;
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
  /** How the build under way gets on: position, head, rate, time left. Completes at the swap, or when there is none. */
  progress(): Observable<BuildProgress>;
  /**
   * Goes on after a fault whose cause was outside: tries the event again in front of which the projection stands.
   * Resolves when it has been started; `caughtUp()` tells how that ended.
   */
  resume(): Promise<void>;
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
    checkOptions('find()', query, QUERY_KEYS);
    return this.#projection.reader.find<Row>(query);
  }

  async count(query: { readonly where?: Conditions<Row> | undefined } = {}): Promise<number> {
    checkOptions('count()', query, ['where']);
    return this.#projection.reader.count(query.where);
  }

  watchAll(query: Query<Row> = {}, options: { readonly every?: Duration } = {}): LiveValues<readonly Row[]> {
    checkOptions('watchAll()', query, QUERY_KEYS);
    checkOptions('watchAll()', options, ['every']);
    this.#projection.reader.check(query);
    const everyMs = options.every === undefined ? 0 : parseDuration(options.every, 'watchAll(): option "every"');
    return this.#projection.watchAll<Row>(query, everyMs);
  }

  watch(key: string | number): LiveValues<Row | undefined> {
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

  progress(): Observable<BuildProgress> {
    return this.#projection.watchProgress();
  }

  resume(): Promise<void> {
    return this.#projection.resume();
  }

  async sql<Result>(text: string, params: readonly (string | number | null)[] = []): Promise<Result[]> {
    // JavaScript may pass anything; the letters of a text would be taken for parameters.
    if (typeof text !== 'string') {
      throw new TroupeError('TROUPE_INVALID_OPTIONS', `sql(): the statement is ${showValue(text)}; give a text`);
    }
    if (!Array.isArray(params)) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `sql(): params are ${showValue(params)}; give an array with a value for each ? of the statement`,
      );
    }
    return this.#projection.reader.query<Result>(text, params);
  }

  #key(owner: string, key: unknown): RowKey {
    const { name, shape } = this.#projection.plan;
    return shape.acceptKey(key, `${owner}: the key of ${name}`);
  }
}

const QUERY_KEYS = ['where', 'orderBy', 'limit', 'offset', 'after'];

function checkOptions(owner: string, value: object, known: readonly string[]): void {
  // Its constructor refuses what isn't known.
  void new OptionReader(owner, value, known);
}
