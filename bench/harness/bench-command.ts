/**
 * `npm run bench`: reads the command line, plays the rounds, shows the table, writes the JSON.
 *
 * The table goes to standard output, progress and complaints to standard error. Exit code 1 when a row is missing
 * because its arm failed or did not process what it sent; 2 for bad input.
 */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseOptions, takeWord } from '../../src/scenario/option-parser.js';
import { startProgress } from '../../src/scenario/progress-display.js';
import { optionLines, tableLines as helpTable } from '../../src/scenario/scenario-help.js';
import { EXIT, Interruption, type ScenarioHost } from '../../src/scenario/scenario-host.js';
import { isInputError, oneLine, ScenarioInputError } from '../../src/scenario/scenario-input-error.js';
import { openTerminal, type Terminal, wrapText } from '../../src/scenario/terminal.js';
import { type BenchRecord, benchRecord, readRecord } from './bench-record.js';
import { comparisonLines } from './comparison.js';
import { findSuites, type FoundSuite } from './find-suites.js';
import { commitText, machineText } from './machine.js';
import { type ArmRuns, playRounds } from './rounds.js';
import { rowsOf } from './rows.js';
import { runArm } from './run-arm.js';
import { LEGEND, tableLines } from './table.js';

/** Where the suites are, and below which folder arms may write. */
export interface BenchFolder {
  /** Ends with a slash. */
  readonly url: URL;
  readonly scratch: string;
}

const OPTIONS = {
  quick: { type: 'boolean', description: 'shorter and fewer rounds: for a first look; numbers scatter more' },
  json: { type: 'string', placeholder: 'FILE', description: 'write the results to a file as JSON' },
  compare: {
    type: 'string',
    placeholder: 'FILE',
    description: 'show what has changed beyond the noise since the run that wrote this JSON',
  },
  list: { type: 'boolean', description: 'list all suites and their arms' },
  help: { type: 'boolean', description: 'show this help' },
} as const;

/**
 * Times of one arm in one round. The full run takes some minutes for each suite; all suites together stay below two
 * minutes when quick, on a machine that does nothing else, by being played once.
 */
const PACE = {
  quick: { rounds: 2, warmupMs: 200, measureMs: 300, scale: 0.05 },
  quickest: { rounds: 1, warmupMs: 100, measureMs: 150, scale: 0.02 },
  full: { rounds: 7, warmupMs: 700, measureMs: 2_000, scale: 1 },
} as const;

/** Does what the arguments say; resolves with the exit code. */
export async function benchCommand(folder: BenchFolder, args: readonly string[], host: ScenarioHost): Promise<number> {
  const problems = openTerminal(host.stderr, host.env);
  try {
    const { word: name, rest } = takeWord(OPTIONS, args);
    const { values, words } = parseOptions(OPTIONS, rest);
    if (words.length > 0)
      throw new ScenarioInputError(`one suite at a time, or none for all; got ${name} and ${words[0]}`);
    const out = openTerminal(host.stdout, host.env);
    if (values.help) return help(out);
    const suites = await findSuites(folder.url, name);
    if (values.list) return list(suites, out);
    if (values.json !== undefined) checkWritable(values.json);
    const earlier = values.compare === undefined ? undefined : readRecord(values.compare);
    return await measure({ folder, suites, quick: values.quick, json: values.json, earlier, host });
  } catch (error) {
    if (!isInputError(error)) throw error;
    problems.line(`bench: ${oneLine(error)}`);
    return EXIT.badInput;
  }
}

interface Task {
  readonly folder: BenchFolder;
  readonly suites: readonly FoundSuite[];
  readonly quick: boolean;
  readonly json: string | undefined;
  /** The run to compare with. */
  readonly earlier: BenchRecord | undefined;
  readonly host: ScenarioHost;
}

async function measure({ folder, suites, quick, json, earlier, host }: Task): Promise<number> {
  const { rounds, ...pace } = quick ? (suites.length > 1 ? PACE.quickest : PACE.quick) : PACE.full;
  const out = openTerminal(host.stdout, host.env);
  const problems = openTerminal(host.stderr, host.env);
  const signal = host.ending;
  const total = rounds * suites.reduce((sum, { suite }) => sum + suite.arms.length, 0);
  const progress = startProgress({ total, unit: 'runs' }, problems, host.clock);
  let runs: readonly ArmRuns[];
  try {
    const runOnce = (found: FoundSuite, arm: string) => runArm({ found, arm, pace, scratch: folder.scratch, signal });
    runs = await playRounds(suites, rounds, runOnce, (done, suite, arm) => {
      signal.throwIfAborted();
      progress.update(done, { [suite]: arm });
    });
    signal.throwIfAborted();
  } catch (error) {
    if (signal.reason instanceof Interruption) return EXIT[signal.reason.signal];
    throw error;
  } finally {
    progress.stop();
  }

  const rows = rowsOf(runs);
  const facts = { machine: machineText(), node: process.version, commit: commitText(folder.url), quick };
  out.line(out.palette.dim(`${facts.machine}; Node ${facts.node}; commit ${facts.commit}; ${rounds} rounds`));
  for (const { suite } of suites) for (const line of ['', ...tableLines(suite, rows, out.palette)]) out.line(line);
  if (rows.length > 0) for (const line of ['', ...wrapText(LEGEND, out.width)]) out.line(out.palette.dim(line));
  const record = benchRecord(facts, rows);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(record, null, 2)}\n`);
  if (earlier !== undefined) for (const line of ['', ...comparisonLines(earlier, record)]) out.line(line);

  for (const { suite, arm, skipped } of runs) {
    if (skipped !== undefined) problems.line(`${suite}.${arm.name} is left out: ${skipped}`);
  }
  const failed = runs.filter(({ failure }) => failure !== undefined);
  for (const { suite, arm, failure } of failed) problems.line(`${suite}.${arm.name} is not shown: ${failure}`);
  return failed.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Minutes of measuring end badly when the result can't be kept: asked before. */
function checkWritable(file: string): void {
  const advice = 'give a file in a folder that exists and can be written';
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw new ScenarioInputError(`--json ${file} is a folder; ${advice}`);
    accessSync(found === undefined ? dirname(file) : file, constants.W_OK);
  } catch (error) {
    if (isInputError(error)) throw error;
    throw new ScenarioInputError(`--json ${file} can't be written; ${advice}`, { cause: error });
  }
}

function list(suites: readonly FoundSuite[], out: Terminal): number {
  for (const { suite } of suites) {
    out.line(`${out.palette.bold(suite.name)}  ${suite.question}`);
    const rows = suite.arms.map(({ name, question }) => ({ flag: name, text: question }));
    for (const line of helpTable(rows, out)) out.line(line);
    out.line();
  }
  return EXIT.ok;
}

function help(out: Terminal): number {
  const { palette } = out;
  const lines = [
    'Measures Troupe against baselines in the same run, each in processes of its own, in turns.',
    '',
    palette.bold('Usage'),
    '  npm run bench -- [SUITE] [options]   without a name: all suites',
    '',
    palette.bold('Options'),
    ...optionLines(OPTIONS, out),
    '',
    palette.bold('Exit code'),
    '  0    every arm has its row',
    '  1    a row is missing: its arm failed, or processed something else than was sent',
    '  2    bad input; the message says what to do',
  ];
  for (const line of lines) out.line(line);
  return EXIT.ok;
}
