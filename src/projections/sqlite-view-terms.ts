/**
 * The terms of one query in the making: columns, paths into json columns, and parameters in the order of the text.
 *
 * Every value is bound, also the path into a json column, and every column has to be one of the definition's; nothing
 * that a caller gives stands in the text. While an older version of the table answers, columns that it lacks, or has
 * with another type, read as null.
 */
import { suggestion } from '../core/did-you-mean.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { SqliteValue } from '../journal/sqlite-connection.js';
import type { RuntimeColumn } from './columns.js';
import type { RowShape } from './row-shape.js';
import { quoted } from './sqlite-view-schema.js';

/** The table that is asked: its name, and the columns that it has. */
export interface QueriedTable {
  readonly name: string;
  readonly columns: readonly RuntimeColumn[];
}

/** What stands on one side of a comparison: a column, or a place in a json column. */
export interface Term {
  /** As the caller names it. */
  readonly name: string;
  /** What it may be compared with. */
  readonly type: RuntimeColumn['type'] | 'place';
  /** Its SQL; binds the path into a json column, so it is to be called where it stands in the text. */
  sql(): string;
}

export class QueryTerms {
  readonly params: SqliteValue[] = [];
  readonly shape: RowShape;
  readonly #present: ReadonlySet<string>;

  constructor(shape: RowShape, table: QueriedTable) {
    this.shape = shape;
    const present = table.columns.filter((column) => isAlike(column, shape.column(column.name)));
    this.#present = new Set(present.map((column) => column.name));
  }

  /** A column of the definition as SQL. */
  column(name: string): string {
    return this.#present.has(name) ? quoted(name) : 'NULL';
  }

  /**
   * A column, or a place in a json column: `address.city`, `lines[0].sku`.
   *
   * @throws TROUPE_INVALID_OPTIONS naming the columns that there are.
   */
  term(name: string, where: string): Term {
    const column = this.shape.column(name);
    if (column !== undefined) return { name, type: column.type, sql: () => this.column(name) };
    const [, of = '', rest = ''] = /^([A-Za-z_]\w*)([.[].*)$/.exec(name) ?? [];
    const json = this.shape.column(of);
    if (json !== undefined) {
      if (json.type !== 'json')
        throw refusal(`${where}: "${name}" is a place in column ${of}, which is of type ${json.type} and not json`);
      const path = pathOf(rest);
      if (path === undefined)
        throw refusal(`${where}: "${name}" is no place in a json column; write it like ${of}.city or ${of}[0].sku`);
      return { name, type: 'place', sql: () => `(${this.column(of)} ->> ${this.mark(path)})` };
    }
    const { names } = this.shape;
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${where}: there is no column "${name}"${suggestion(name, names)}; known are ${names.join(', ')}`,
      { details: { column: name, known: names } },
    );
  }

  /** Binds a value that the term may be compared with. */
  bound(term: Term, value: unknown, where: string): string {
    return this.mark(this.#comparable(term, value, where));
  }

  /** Binds several of them, to be searched for one. */
  boundList(term: Term, values: readonly unknown[], where: string): string {
    const given = values.map((value) => this.#comparable(term, value, where));
    if (given.length <= MOST_MARKS) return `(${given.map((value) => this.mark(value)).join(', ')})`;
    // Statements have room for some 30,000 parameters; many values go as one JSON text.
    return `(SELECT value FROM json_each(${this.mark(JSON.stringify(given))}))`;
  }

  mark(value: SqliteValue): string {
    this.params.push(value);
    return '?';
  }

  #comparable({ name, type }: Term, value: unknown, where: string): string | number {
    if (type === 'place') {
      if (typeof value === 'boolean') return value ? 1 : 0;
      if (typeof value === 'string' || (typeof value === 'number' && !Number.isNaN(value))) return value;
      throw refusal(
        `${where}.${name} is ${showValue(value)}; a place in a json column is compared with a string, number, boolean or null`,
      );
    }
    if (type === 'json') {
      throw refusal(
        `${where}.${name}: a json column is compared with null only; ask for a place in it, such as "${name}.city", or with { contains }`,
      );
    }
    const wanted = type === 'text' ? 'string' : 'number';
    if (typeof value !== wanted || Number.isNaN(value)) {
      throw refusal(`${where}.${name} is ${showValue(value)}; column ${name} (${type}) is compared with a ${wanted}`);
    }
    // Just checked: a string or a number.
    return value as string | number;
  }
}

export function refusal(what: string): TroupeError {
  return new TroupeError('TROUPE_INVALID_OPTIONS', what);
}

/** Values that are bound one by one. */
const MOST_MARKS = 50;

const STEP = /\.([^.[\]"]+)|\[(\d+)\]/y;

/** `.city` and `[0].sku` as SQLite writes paths. */
function pathOf(text: string): string | undefined {
  let path = '$';
  STEP.lastIndex = 0;
  while (STEP.lastIndex < text.length) {
    const step = STEP.exec(text);
    if (step === null) return undefined;
    path += step[1] === undefined ? `[${step[2]}]` : `."${step[1]}"`;
  }
  return path;
}

/** Whether what a column holds is what the definition says. */
function isAlike({ type }: RuntimeColumn, defined: RuntimeColumn | undefined): boolean {
  if (type === defined?.type) return true;
  return NUMBERS.has(type) && defined !== undefined && NUMBERS.has(defined.type);
}

const NUMBERS: ReadonlySet<string> = new Set(['integer', 'real']);
