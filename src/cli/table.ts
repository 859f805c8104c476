/**
 * Rows in aligned columns. A page of rows at a time: columns grow to what they have seen and never shrink, so that a
 * long list can be printed while it is read. On a terminal the last column ends where the line does.
 */
import { printable, type Output } from './output.js';

/** One column. */
export interface TableColumn {
  readonly title: string;
  /** Numbers stand to the right. Default: left. */
  readonly align?: 'right';
}

/** Columns wider than this, save the last one, don't widen the others' lines. */
const WIDEST = 48;

export class Table {
  readonly #out: Output;
  readonly #columns: readonly TableColumn[];
  readonly #widths: number[];
  #started = false;

  constructor(out: Output, columns: readonly TableColumn[]) {
    this.#out = out;
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => title.length);
  }

  /** Prints rows, and the titles above the first one. */
  print(rows: readonly (readonly (string | number)[])[]): void {
    if (rows.length === 0) return;
    const texts = rows.map((row) => row.map((cell) => printable(String(cell))));
    for (const row of texts) {
      for (const [i, text] of row.entries()) {
        this.#widths[i] = Math.max(this.#widths[i] ?? 0, Math.min(text.length, WIDEST));
      }
    }
    const { palette } = this.#out;
    if (!this.#started) this.#out.line(palette.dim(this.#lineOf(this.#columns.map(({ title }) => title))));
    this.#started = true;
    for (const row of texts) this.#out.line(this.#lineOf(row));
  }

  #lineOf(cells: readonly string[]): string {
    const line = cells
      .map((text, i) => {
        const width = this.#widths[i] ?? 0;
        if (this.#columns[i]?.align === 'right') return text.padStart(width);
        return i === cells.length - 1 ? text : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
    const { width } = this.#out;
    return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
  }
}
