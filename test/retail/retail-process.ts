/** Runs the retail scenario as people do, as a process of its own, and reads what it left behind with plain SQL. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sqlite3 from 'sqlite3';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const RUNNER = join(ROOT, 'dist/scenarios/run.js');

export const DAY = join(ROOT, 'scenarios/data/online-retail-2011-12-05.csv');
export const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `--json` prints. */
export interface RetailResult {
  readonly scenario: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly workers: number;
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
  readonly totals: Readonly<Record<string, number>>;
}

/** A folder of one's own for files and journals. */
export class Workbench {
  readonly folder = mkdtempSync(join(tmpdir(), 'troupe-retail-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** A CSV of these rows below the header. */
  csv(name: string, ...rows: readonly string[]): string {
    return this.write(name, [HEADER, ...rows, ''].join('\n'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function startRetail(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Run> } {
  const child = spawn(process.execPath, ['--enable-source-maps', RUNNER, 'retail', ...args], { cwd: ROOT });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Run>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

export async function runRetail(...args: readonly string[]): Promise<Run> {
  return startRetail(args).ended;
}

/** Runs with `--json`, expects success, returns the result. */
export async function resultOf(input: string, journal: string, ...more: readonly string[]): Promise<RetailResult> {
  const { code, stdout, stderr } = await runRetail('--input', input, '--journal', journal, '--json', ...more);
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
  if (stdout.split('\n').length !== 2) throw new Error(`not one line: ${stdout}`);
  return JSON.parse(stdout);
}

/** Rows of a query on a SQLite file, as an outsider sees them. */
export async function query<R>(file: string, sql: string): Promise<R[]> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, sqlite3.OPEN_READONLY, (opening) => {
      if (opening !== null) return reject(opening);
      database.all<R>(sql, (error, rows) => {
        database.close(() => (error === null ? resolve(rows) : reject(error)));
      });
    });
  });
}

export function dataRows(file: string): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(1);
}

/** The same in another order, by a generator of its own (mulberry32), so that a seed gives one order for good. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  const random = randomFrom(seed);
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T]; // Both indexes are within the array.
  }
  return result;
}

export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
