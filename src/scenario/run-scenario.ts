/**
 * The runner: plays one scenario from its command line to its exit code.
 *
 * arguments → journal → header → `run(ctx)` → checks → result. A run that doesn't come to its end, or makes no check, is
 * never ok, whatever else it did. Bad input ends with code 2 and one line on standard error; with `--json` standard output
 * then stays empty, and otherwise has exactly the result line.
 */
import { availableParallelism } from 'node:os';
import { inspect } from 'node:util';
import type { Timer } from '../core/clock.js';
import type { ScenarioDefinition } from './define-scenario.js';
import { parseScenarioArguments, type ScenarioArguments } from './scenario-arguments.js';
import { EXIT, Interruption, type ScenarioHost, STOP_AFTER_ERROR_WITHIN_MS, STOP_WITHIN_MS } from './scenario-host.js';
import { helpLines } from './scenario-help.js';
import { isInputError, oneLine } from './scenario-input-error.js';
import { defaultJournal, keptJournal } from './scenario-journal.js';
import { ScenarioRecord, scenarioContext } from './scenario-record.js';
import { assertThat, type RecordedCheck, resultLine, type ScenarioResult } from './scenario-result.js';
import { endLines, headerLines, type StoryFacts } from './scenario-story.js';
import { openTerminal, type Terminal } from './terminal.js';

/** How a run came to its end. */
type Ending =
  | { readonly kind: 'finished' }
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'interrupted'; readonly signal: 'SIGINT' | 'SIGTERM' };

/**
 * Runs a scenario and resolves with its exit code; never rejects.
 *
 * @param command How it was started, for its help: `npm run scenario -- retail`.
 */
export async function runScenario(
  scenario: ScenarioDefinition,
  args: readonly string[],
  host: ScenarioHost,
  command: string,
): Promise<number> {
  const problems = openTerminal(host.stderr, host.env);
  try {
    const given = parseScenarioArguments(scenario, args);
    if (!given.help) return await play(scenario, given, host, problems);
    const out = openTerminal(host.stdout, host.env);
    for (const line of helpLines(scenario, command, out)) out.line(line);
    return EXIT.ok;
  } catch (error) {
    return reportError(scenario.name, error, problems);
  }
}

/** Says what went wrong, and returns the exit code for it: bad input is one line, anything else shows where it happened. */
export function reportError(who: string, error: unknown, problems: Terminal): number {
  const { palette } = problems;
  problems.line(`${palette.bad(`${who}:`)} ${oneLine(error)}`);
  if (isInputError(error)) return EXIT.badInput;
  problems.line(palette.dim(inspect(error, { depth: 4 })));
  return EXIT.failed;
}

async function play(
  scenario: ScenarioDefinition,
  given: ScenarioArguments,
  host: ScenarioHost,
  problems: Terminal,
): Promise<number> {
  const journal =
    given.journal === undefined
      ? await defaultJournal(scenario.name, scenario.keepJournal?.(given.options) === true)
      : keptJournal(given.journal);
  const facts: StoryFacts = { workers: given.workers, seed: given.seed, journal: journal.path };
  const people = given.json ? problems : openTerminal(host.stdout, host.env);
  if (!given.json) for (const line of headerLines(scenario, facts, people)) people.line(line);

  const record = new ScenarioRecord({ people, problems, clock: host.clock });
  const context = scenarioContext(record, given, journal, host.ending);
  const startedMs = host.clock.monotonic();
  const ending = await endingOf(async () => scenario.run(context), host, problems, scenario.name);
  const seconds = Math.round(host.clock.monotonic() - startedMs) / 1_000;
  record.close();
  await journal.end();

  if (ending.kind === 'refused') return reportError(scenario.name, ending.error, problems);
  const checks = [...record.checks, ...endingChecks(ending, record.checks)];
  const result = resultOf(scenario.name, seconds, given.workers, record, checks);
  for (const line of endLines(result, checks, facts, people)) people.line(line);
  if (ending.kind === 'failed') reportError(scenario.name, ending.error, problems);
  if (given.json) host.stdout.write(`${resultLine(result)}\n`);
  if (ending.kind === 'interrupted') return EXIT[ending.signal];
  return result.ok ? EXIT.ok : EXIT.failed;
}

/** Waits for the run, or, once it is told to end early, for as long as it has to stop. */
async function endingOf(
  run: () => Promise<void>,
  { ending, clock }: ScenarioHost,
  problems: Terminal,
  name: string,
): Promise<Ending> {
  let timer: Timer | undefined;
  let tell: (() => void) | undefined;
  const tooLate = new Promise<'too late'>((resolve) => {
    tell = () => {
      if (ending.reason instanceof Interruption) {
        problems.line(`${name}: ${ending.reason.message}, stopping; once more ends it at once`);
      }
      const withinMs = ending.reason instanceof Interruption ? STOP_WITHIN_MS : STOP_AFTER_ERROR_WITHIN_MS;
      timer = clock.setTimer(withinMs, () => resolve('too late'));
    };
    if (ending.aborted) tell();
    else ending.addEventListener('abort', tell, { once: true });
  });

  const ran = run().then(
    (): Ending => ({ kind: 'finished' }),
    (error: unknown): Ending => endingBy(error),
  );
  const first = await Promise.race([ran, tooLate]);
  timer?.cancel();
  if (tell !== undefined) ending.removeEventListener('abort', tell);
  if (first === 'too late') problems.line(`${name}: did not stop in time and was left behind`);
  if (ending.aborted) {
    // Whatever the run made of it: it ended early, or an error got past it.
    return endingBy(ending.reason);
  }
  return first === 'too late' ? { kind: 'finished' } : first;
}

function endingBy(error: unknown): Ending {
  if (error instanceof Interruption) return { kind: 'interrupted', signal: error.signal };
  return isInputError(error) ? { kind: 'refused', error } : { kind: 'failed', error };
}

/** What the run's end has to say among the checks, so that a result alone shows why it is not ok. */
function endingChecks(ending: Ending, checks: readonly RecordedCheck[]): RecordedCheck[] {
  if (ending.kind === 'failed') return [assertThat('runs to its end', false, oneLine(ending.error))];
  if (ending.kind === 'interrupted') return [assertThat('runs to its end', false, `ended by ${ending.signal}`)];
  return checks.length > 0
    ? []
    : [assertThat('makes a check', false, 'none was made; what cannot fail proves nothing')];
}

function resultOf(
  scenario: string,
  seconds: number,
  workers: number | 'auto',
  record: ScenarioRecord,
  checks: readonly RecordedCheck[],
): ScenarioResult {
  return {
    scenario,
    ok: checks.every(({ ok }) => ok),
    seconds,
    events: record.eventCount,
    eventsPerSecond: seconds > 0 ? Math.round(record.eventCount / seconds) : 0,
    workers: workers === 'auto' ? Math.max(1, availableParallelism() - 1) : workers,
    checks,
    totals: record.totals,
  };
}
