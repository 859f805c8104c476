/**
 * The shape of a projection's rows: which columns there are, and what each of them takes.
 *
 * What a handler returns is checked and copied here into a frozen row that holds exactly what the table will hold,
 * so that a row from memory and the same row read back can't differ, and no handler can change it later. Hot path:
 * one call for each event.
 */
import { suggestion } from '../core/did-you-mean.js';
import { copyJson, deepFreeze } from '../core/json-value.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { RuntimeColumn } from './columns.js';
import type { RuntimeRow } from './projection-definition.js';

/** The value of a key column. */
export type RowKey = string | number;

/** A row by column names; each column is there, null when it has no value. */
export type Row = RuntimeRow;

export class RowShape {
  readonly columns: readonly RuntimeColumn[];
  /** The key column. */
  readonly key: RuntimeColumn;
  readonly #byName: ReadonlyMap<string, RuntimeColumn>;

  /** @param columns one of them is the key, of type text, integer or real (`projection-plan.ts`) */
  constructor(columns: readonly RuntimeColumn[]) {
    this.columns = columns;
    // A definition without a key column is refused by `projection()`.
    this.key = columns.find((column) => column.primaryKey) as RuntimeColumn;
    this.#byName = new Map(columns.map((column) => [column.name, column]));
  }

  /** Names of the columns, in the order declared. */
  get names(): string[] {
    return this.columns.map((column) => column.name);
  }

  column(name: string): RuntimeColumn | undefined {
    return this.#byName.get(name);
  }

  /**
   * A key as the table holds it.
   *
   * @param where names the key in the error message
   * @throws TROUPE_INVALID_OPTIONS when the key column can't hold it.
   */
  acceptKey(value: unknown, where = 'the key'): RowKey {
    const cell = acceptCell(this.key, value);
    if (typeof cell === 'string' || typeof cell === 'number') return cell;
    throw this.#refusal(this.key, value, where);
  }

  /**
   * The row that a handler returned, as the table will hold it, frozen; the key column is filled in.
   *
   * @throws TROUPE_INVALID_OPTIONS when it is no row of these columns; the message says why, and what fits.
   */
  accept(value: unknown, key: RowKey): Row {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new TroupeError('TROUPE_INVALID_OPTIONS', `the handler returned ${showValue(value)}; ${ADVICE}`);
    }
    if ('then' in value && typeof value.then === 'function') {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `the handler returned a promise; handlers are synchronous, ${ADVICE}`,
      );
    }
    // An object: reading its fields as unknown is safe.
    const given = value as Record<string, unknown>;
    const row: Record<string, unknown> = {};
    for (const column of this.columns) {
      const cell = given[column.name];
      if (column === this.key) {
        if (cell !== key && cell !== undefined && acceptCell(column, cell) !== key) {
          throw new TroupeError(
            'TROUPE_INVALID_OPTIONS',
            `the handler returned ${showValue(cell)} in the key column ${column.name} of row ${showValue(key)}; ` +
              'leave the key column out, and let `key` name the row',
          );
        }
        row[column.name] = key;
      } else if (cell === undefined || cell === null) {
        if (column.notNull) throw this.#refusal(column, cell, `row ${showValue(key)}`);
        row[column.name] = null;
      } else {
        const accepted = acceptCell(column, cell);
        if (accepted === undefined) throw this.#refusal(column, cell, `row ${showValue(key)}`);
        row[column.name] = accepted;
      }
    }
    for (const name in given) {
      if (!this.#byName.has(name) && given[name] !== undefined) {
        throw new TroupeError(
          'TROUPE_INVALID_OPTIONS',
          `row ${showValue(key)} has a field "${name}" that is no column${suggestion(name, this.#byName.keys())}; ` +
            `columns are ${this.names.join(', ')}`,
          { details: { field: name, columns: this.names } },
        );
      }
    }
    return Object.freeze(row);
  }

  /** A row from its cells in the order of the columns; json columns parsed already. */
  fromCells(cells: readonly unknown[]): Row {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < this.columns.length; i += 1) {
      // i < columns.length
      const column = this.columns[i] as RuntimeColumn;
      row[column.name] = column.type === 'json' ? deepFreeze(cells[i]) : cells[i];
    }
    return Object.freeze(row);
  }

  /** A row as SQLite gives it. */
  fromRecord(record: Readonly<Record<string, unknown>>): Row {
    return this.fromCells(
      this.columns.map(({ name, type }) => {
        const cell = record[name] ?? null;
        return type === 'json' && typeof cell === 'string' ? (JSON.parse(cell) as unknown) : cell;
      }),
    );
  }

  /** A cell as it was before `encodeRow`. */
  decodeCell({ type }: RuntimeColumn, cell: unknown): unknown {
    if (type !== 'real' || !Array.isArray(cell)) return cell;
    // Mantissa and exponent (`encodeReal`): each power of two down to the least number is exact, and so is the product.
    const [mantissa, exponent] = cell as [number, number];
    return mantissa * 2 ** exponent;
  }

  #refusal(column: RuntimeColumn, value: unknown, where: string): TroupeError {
    const declared = column.notNull && !column.primaryKey ? `${column.type} not null` : column.type;
    return new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${where} has ${showValue(value)} in column ${column.name} (${declared}); give ${FITS[column.type]}`,
      { details: { column: column.name, type: column.type, value: showValue(value) } },
    );
  }
}

const ADVICE = 'return the new row as an object, null to delete it, or undefined to leave it';

const FITS: Readonly<Record<RuntimeColumn['type'], string>> = {
  text: "a string; objects, arrays and booleans need a column of type 'json'",
  integer: "a whole number within 2^53; for true and false use 1 and 0, for fractions a column of type 'real'",
  real: 'a finite number',
  json: 'a JSON value',
};

/** The value as the column holds it; undefined when the column can't hold it. Null is the caller's. */
function acceptCell({ name, type }: RuntimeColumn, value: unknown): unknown {
  if (type === 'json') {
    return deepFreeze(copyJson(value, `column ${name}`));
  }
  if (type === 'text') return typeof value === 'string' ? wellFormed(value) : undefined;
  if (typeof value !== 'number') return undefined;
  // Adding 0 makes 0 of -0.
  return (type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)) ? value + 0 : undefined;
}

const SURROGATE = /[\ud800-\udfff]/;

/** SQLite keeps UTF-8, which has no place for halves of surrogate pairs; they become U+FFFD here and not there. */
function wellFormed(text: string): string {
  return SURROGATE.test(text) ? Buffer.from(text).toString() : text;
}

/** The row as JSON array in the order of the columns; `sqlite-view-table.ts` reads it. */
export function encodeRow(columns: readonly RuntimeColumn[], row: Row): string {
  let text = '[';
  for (let i = 0; i < columns.length; i += 1) {
    // i < columns.length
    const { name, type } = columns[i] as RuntimeColumn;
    const cell = row[name];
    if (i > 0) text += ',';
    if (typeof cell !== 'number' || type === 'json') text += JSON.stringify(cell);
    else text += type === 'real' ? encodeReal(cell) : String(cell);
  }
  return `${text}]`;
}

/** Keys as JSON array, as `encodeRow` has them. */
export function encodeKeys(key: RuntimeColumn, keys: readonly RowKey[]): string {
  if (key.type !== 'real') return JSON.stringify(keys);
  // A row of the key column alone is `[key]`; without the brackets it is the key.
  return `[${keys.map((value) => encodeRow([key], { [key.name]: value }).slice(1, -1)).join(',')}]`;
}

const real = new Float64Array(1);
const bits = new Uint32Array(real.buffer);

/**
 * A real as JSON: whole numbers as they are, others as `[mantissa, exponent]` of the binary number.
 *
 * SQLite's reading of decimals is off by one bit in some of 10,000 numbers, and a row would differ from itself.
 */
function encodeReal(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  real[0] = value;
  // Two words, little-endian as on every platform that Node runs on.
  const low = bits[0] as number;
  const high = bits[1] as number;
  const biased = (high >>> 20) & 0x7ff;
  const fraction = (high & 0xfffff) * 0x1_0000_0000 + low;
  const mantissa = biased === 0 ? fraction : fraction + 0x10_0000_0000_0000;
  const exponent = biased === 0 ? -1074 : biased - 1075;
  return `[${high >>> 31 === 1 ? -mantissa : mantissa},${exponent}]`;
}
