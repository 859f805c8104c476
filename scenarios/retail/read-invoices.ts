/**
 * Reads a whole file into an invoice book and the totals to expect. Nothing has been sent to the shop by then, so a
 * file that turns out to be damaged leaves the journal as it was.
 */
import { ScenarioInputError } from 'troupe';
import { readLines } from './csv-lines.js';
import { CsvRecords } from './csv-records.js';
import { ExpectedTotals } from './expected-totals.js';
import { InvoiceBook } from './invoice-book.js';
import { COLUMNS, parseRow } from './row.js';

/**
 * Messages held back while a file is read. Damaged gzip yields some garbage before its damage shows; then only the
 * damage is worth telling.
 */
const MAX_HELD = 10_000;

export interface Input {
  readonly book: InvoiceBook;
  readonly expected: ExpectedTotals;
  /** Data rows, refused ones too. */
  readonly rows: number;
  readonly rejectedRows: number;
}

/**
 * @param refuse is told of each bad row, once, with what is wrong and where.
 * @throws ScenarioInputError when the file as a whole is no such CSV.
 */
export async function readInvoices(file: string, refuse: (message: string) => void): Promise<Input> {
  const book = new InvoiceBook();
  const expected = new ExpectedTotals();
  let rows = -1; // The header is no row.
  let rejectedRows = 0;
  const held: string[] = [];

  function reject(problem: string, line: number): void {
    rejectedRows += 1;
    held.push(`${file}, line ${line}: row dropped: ${problem}`);
    if (rejectedRows >= MAX_HELD) tell();
  }

  function tell(): void {
    for (const message of held.splice(0)) refuse(message);
  }

  const records = new CsvRecords(COLUMNS.length, {
    record(fields, line) {
      rows += 1;
      if (rows === 0) {
        checkHeader(file, fields);
        return;
      }
      const row = parseRow(fields);
      if (typeof row === 'string') {
        reject(row, line);
        return;
      }
      book.add(row);
      expected.add(row);
    },
    broken(problem, line) {
      rows += 1;
      if (rows === 0) checkHeader(file, []);
      reject(problem, line);
    },
  });
  for await (const lines of readLines(file)) for (const line of lines) records.push(line);
  records.end();
  tell();
  if (rows === -1) checkHeader(file, []);
  return { book, expected, rows, rejectedRows };
}

function checkHeader(file: string, fields: readonly string[]): void {
  if (fields.length === COLUMNS.length && COLUMNS.every((column, index) => column === fields[index])) return;
  const found = JSON.stringify(fields.join(',').slice(0, 100));
  throw new ScenarioInputError(
    `${file} has other columns: its first line must read ${COLUMNS.join(',')}, it reads ${found}`,
  );
}
