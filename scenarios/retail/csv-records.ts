/**
 * Lines to records, so that one broken quote costs one record and not the rest of the file.
 *
 * A line without a quote is its own record; csv-parse takes the others. A quoted field may go over several lines,
 * but not over a line that is a row by itself: then the quote was never closed, the line that opened it is refused,
 * and reading goes on right behind it. Empty lines are no records.
 */
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';

/** Lines one record may span. Bounds the look ahead behind a quote that is never closed. */
const MAX_LINES = 20;

interface CsvSink {
  record(fields: readonly string[], line: number): void;
  broken(problem: string, line: number): void;
}

export class CsvRecords {
  readonly #columns: number;
  readonly #sink: CsvSink;
  #line = 0;
  #open: string[] = [];
  #openedAt = 0;

  /** @param columns of a whole row: what a continued quoted field is measured by; other counts still come as records. */
  constructor(columns: number, sink: CsvSink) {
    this.#columns = columns;
    this.#sink = sink;
  }

  push(text: string): void {
    this.#line += 1;
    this.#take(text, this.#line);
  }

  end(): void {
    while (this.#open.length > 0) this.#giveUp();
  }

  #take(text: string, line: number): void {
    if (this.#open.length > 0) this.#continue(text, line);
    else if (!text.includes('"')) {
      if (text !== '') this.#sink.record(text.split(','), line);
    } else {
      const fields = parseQuoted(text);
      if (fields === 'open') {
        this.#open = [text];
        this.#openedAt = line;
      } else if (typeof fields === 'string') this.#sink.broken(fields, line);
      else this.#sink.record(fields, line);
    }
  }

  #continue(text: string, line: number): void {
    if (this.#open.length === MAX_LINES || this.#isRow(text)) {
      this.#giveUp();
      this.#take(text, line);
      return;
    }
    this.#open.push(text);
    const fields = parseQuoted(this.#open.join('\n'));
    if (fields === 'open') return;
    if (typeof fields === 'string' || fields.length !== this.#columns) {
      this.#giveUp();
      return;
    }
    this.#open = [];
    this.#sink.record(fields, this.#openedAt);
  }

  /** Refuses the line with the open quote and reads the ones held behind it anew. */
  #giveUp(): void {
    const [, ...held] = this.#open;
    const openedAt = this.#openedAt;
    this.#open = [];
    this.#sink.broken('a quote is opened and never closed', openedAt);
    held.forEach((text, index) => this.#take(text, openedAt + 1 + index));
  }

  /** Told by its commas, and by the invoice number in front when the line has broken quotes of its own. */
  #isRow(text: string): boolean {
    if (text.split(',').length < this.#columns) return false;
    return !text.includes('"') || /^[A-Z]?\d+,/.test(text);
  }
}

/** The fields; or what is wrong; or `open` when the text ends inside a quoted field. */
function parseQuoted(text: string): string[] | string {
  try {
    const [fields] = parse(text, { record_delimiter: '\n' });
    return fields ?? [];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    switch (error.code) {
      case 'CSV_QUOTE_NOT_CLOSED':
        return 'open';
      case 'CSV_INVALID_CLOSING_QUOTE':
        return 'text follows a closing quote: double the quotes inside a quoted field';
      default:
        return 'a quote stands inside a field that is not quoted: quote the field and double the quote';
    }
  }
}
