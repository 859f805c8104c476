/**
 * What is looked at in SQL texts that users write: how a statement begins, and where it names its own table.
 *
 * Comments and quoted texts are skipped over. This is no parser; what SQLite itself makes of a statement decides.
 */
import { sqliteCode } from '../journal/sqlite-error.js';

/** A text, a quoted name, a comment, or a word. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_][\w$]*/g;

/** The word that a statement begins with, in capitals; empty when it begins with none. */
export function firstWord(statement: string): string {
  const [word] = /^[A-Za-z]+/.exec(statement.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '')) ?? [];
  return word?.toUpperCase() ?? '';
}

/** Whether nothing but comments follows the first semicolon: the driver runs one statement, and drops the rest in silence. */
export function isOneStatement(statement: string): boolean {
  if (!statement.includes(';')) return true;
  const bare = statement.replaceAll(TOKEN, (token) => (/^(?:--|\/\*)/.test(token) ? ' ' : 'x'));
  return !/;[\s;]*[^\s;]/.test(bare);
}

/**
 * The statement with another name for one of its tables. A column of the same name would be renamed too, so a
 * projection with statements may have none (`projection-plan.ts`).
 */
export function renameTable(statement: string, from: string, to: string): string {
  const name = from.toLowerCase();
  return statement.replaceAll(TOKEN, (token) => {
    if (token.toLowerCase() === name) return to;
    const opening = token[0];
    if (opening !== '"' && opening !== '`' && opening !== '[') return token;
    return token.slice(1, -1).toLowerCase() === name ? `"${to}"` : token;
  });
}

/** Failures by which SQLite refuses a statement for what it says or writes; any other is no fault of its author. */
const FAULTS: ReadonlySet<string> = new Set([
  'SQLITE_ERROR',
  'SQLITE_CONSTRAINT',
  'SQLITE_MISMATCH',
  'SQLITE_RANGE',
  'SQLITE_TOOBIG',
  'SQLITE_AUTH',
  'SQLITE_MISUSE',
]);

/** Whether a failed statement would fail again, however often it is tried. */
export function isFaultOfStatement(error: unknown): boolean {
  return FAULTS.has(sqliteCode(error));
}
