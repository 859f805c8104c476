/**
 * Bad input: what the person who started the scenario can put right. Ends with exit code 2 and one line, no stack.
 */

const SCENARIO_INPUT = 'SCENARIO_INPUT';

/**
 * Thrown by a scenario (or the command line) for input it can't use: a missing file, a wrong column, a bad option.
 * The run ends with exit code 2 and the message as its only line on standard error; with `--json` nothing goes to
 * standard output.
 *
 * @example
 * if (!existsSync(file)) throw new ScenarioInputError(`${file} does not exist; give a CSV file with --input`);
 */
export class ScenarioInputError extends Error {
  /** Told by its code, so that an error of another copy of the package is known too. */
  readonly code = SCENARIO_INPUT;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ScenarioInputError';
  }
}

/** Failures of `ActorSystem.start` that are the input's fault: unusable options, a journal in use, a file that is no journal. */
const INPUT_CODES: ReadonlySet<unknown> = new Set([
  SCENARIO_INPUT,
  'TROUPE_INVALID_OPTIONS',
  'TROUPE_JOURNAL_LOCKED',
  'TROUPE_JOURNAL_CORRUPT',
]);

/** Whether `error` is the input's fault, and not the scenario's or the runtime's. */
export function isInputError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && INPUT_CODES.has(error.code);
}

/** The message of any thrown value, as one line. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
