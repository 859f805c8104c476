/**
 * `npm run bench`: reads the command line, plays the rounds, shows the table, writes the JSON.
 *
 * The table goes to standard output, progress and complaints to standard error. Exit code 1 when a row is missing
 * because its arm failed or did not process what it sent; 2 for bad input; 130 when interrupted, with what there is so far.
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
import { paceOf } from './pace.js';
import { type ArmRuns, planRuns, playRounds, runsIn } from './rounds.js';
import { type Row, rowsOf } from './rows.js';
import { runArm } from './run-arm.js';
import { LEGEND, tableLines } from './table.js';

/** Where the suites are, and below which folder arms may write. */
export interface BenchFolder {
  /** Ends with a slash. */
  readonly url: URL;
  readonly scratch: string;
}

const OPTIONS = {
  quick: {
    type: 'boolean',
    description: 'less than two minutes for all suites: one short round each, for a first look',
  },
  rounds: { type: 'number', placeholder: 'N', description: 'play each arm so often, instead of as its suite says' },
  json: { type: 'string', placeholder: 'FILE', description: 'write the results to a file as JSON' },
  compare: {
    type: 'string',
    placeholder: 'FILE',
    description: 'show what has changed beyond the noise since the run that wrote this JSON',
  },
  list: { type: 'boolean', description: 'list all suites and their arms' },
  help: { type: 'boolean', description: 'show this help' },
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
    const { quick, rounds, json } = values;
    if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
      throw new ScenarioInputError(`--rounds is ${rounds}; give a whole number from 1`);
    const earlier = values.compare === undefined ? undefined : readRecord(values.compare);
    return await measure({ folder, suites, quick, rounds, json, earlier, host });
  } catch (error) {
    if (!isInputError(error)) throw error;
    problems.line(`bench: ${oneLine(error)}`);
    return EXIT.badInput;
  }
}

/** Below the tables of a quick run. */
const OF_QUICK_RUNS =
  'A quick run is a first look: its rows come from short rounds, in which code may not be compiled to the end, and work ' +
  'of a fixed size is smaller. Quote numbers of full runs only.';

interface Task {
  readonly folder: BenchFolder;
  readonly suites: readonly FoundSuite[];
  readonly quick: boolean;
  /** Of each arm; undefined as its suite says. */
  readonly rounds: number | undefined;
  readonly json: string | undefined;
  /** The run to compare with. */
  readonly earlier: BenchRecord | undefined;
  readonly host: ScenarioHost;
}

async function measure({ folder, suites, quick, rounds, json, earlier, host }: Task): Promise<number> {
  const problems = openTerminal(host.stderr, host.env);
  const { ending: signal } = host;
  const pace = ({ suite }: FoundSuite) => {
    const usual = paceOf(suite, quick, suites.length);
    return { ...usual, rounds: rounds ?? usual.rounds };
  };
  const plan = planRuns(suites, { quick, everything: suites.length > 1 }, pace);
  const total = runsIn(plan);
  const progress = startProgress({ total, unit: 'runs' }, problems, host.clock);
  const runOnce = ({ found, arm, pace }: ArmRuns) =>
    runArm({ found, arm: arm.name, pace, scratch: folder.scratch, signal });
  let done: number;
  try {
    done = await playRounds(
      plan,
      runOnce,
      (doneSoFar, suite, arm) => progress.update(doneSoFar, { [suite]: arm }),
      signal,
    );
  } finally {
    progress.stop();
  }
  // An interrupted run says what it has so far; any other end before the end is an error.
  if (signal.aborted && !(signal.reason instanceof Interruption)) throw signal.reason;

  const out = openTerminal(host.stdout, host.env);
  const rows = rowsOf(plan);
  const facts = { machine: machineText(), node: process.version, commit: commitText(folder.url), quick };
  if (!signal.aborted || rows.length > 0) showRows(out, suites, rows, facts);
  if (signal.aborted) {
    const kept = json === undefined ? '' : `; ${json} is not written`;
    problems.line(`bench: interrupted after ${done} of ${total} runs${kept}`);
  } else {
    const record = benchRecord(facts, rows);
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(record, null, 2)}\n`);
    if (earlier !== undefined) for (const line of ['', ...comparisonLines(earlier, record)]) out.line(line);
  }
  sayWhatIsMissing(problems, plan);
  if (signal.reason instanceof Interruption) return EXIT[signal.reason.signal];
  return plan.some(({ failure }) => failure !== undefined) ? EXIT.failed : EXIT.ok;
}

type Facts = Omit<BenchRecord, 'results' | 'ratios'>;

function showRows(
  out: Terminal,
  suites: readonly FoundSuite[],
  rows: readonly Row[],
  { machine, node, commit, quick }: Facts,
): void {
  const { palette } = out;
  out.line(palette.dim(`${machine}; Node ${node}; commit ${commit}${quick ? '; a short run' : ''}`));
  for (const { suite } of suites) for (const line of ['', ...tableLines(suite, rows, palette)]) out.line(line);
  if (rows.length > 0) for (const line of ['', ...wrapText(LEGEND, out.width)]) out.line(palette.dim(line));
  if (quick) for (const line of wrapText(OF_QUICK_RUNS, out.width)) out.line(palette.dim(line));
}

/** What was left out, by reason, and what failed. */
function sayWhatIsMissing(problems: Terminal, plan: readonly ArmRuns[]): void {
  for (const reason of new Set(plan.flatMap(({ skipped }) => skipped ?? []))) {
    const names = plan.filter(({ skipped }) => skipped === reason).map(({ suite, arm }) => `${suite}.${arm.name}`);
    for (const line of wrapText(`left out: ${reason}: ${names.join(', ')}`, problems.width)) problems.line(line);
  }
  for (const { suite, arm, failure } of plan) {
    if (failure !== undefined) problems.line(`${suite}.${arm.name} is not shown: ${failure}`);
  }
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
    '  130  interrupted by Ctrl-C; rows measured until then are shown',
    '',
    palette.bold('Examples'),
    '  npm run bench -- --quick',
    '  npm run bench -- journal --json before.json',
    '  npm run bench -- journal --compare before.json',
  ];
  for (const line of lines) out.line(line);
  return EXIT.ok;
}
