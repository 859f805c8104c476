/**
 * `troupe run FILE`: runs a scenario of anyone's project.
 */
import { suggestion } from '../core/did-you-mean.js';
import { COMMON_OPTIONS, type ScenarioDefinition } from '../scenario/define-scenario.js';
import { takeWord } from '../scenario/option-parser.js';
import { runScenario } from '../scenario/run-scenario.js';
import { EXIT_CODES, optionLines, tableLines } from '../scenario/scenario-help.js';
import { EXIT } from '../scenario/scenario-host.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';
import { type Look } from '../scenario/scenario-story.js';
import { openTerminal } from '../scenario/terminal.js';
import type { Command } from './command.js';
import { loadScenarios } from './scenario-files.js';

export const runCommand: Command = {
  name: 'run',
  usage: 'run FILE [NAME] [options]',
  summary: 'run a scenario of a JavaScript file, and check that it ends as it says',

  async run(args, host) {
    const { word: file, at, rest } = takeWord(COMMON_OPTIONS, args);
    const wantsHelp = rest.includes('--help') || rest.includes('-h');
    if (file === undefined) {
      if (!wantsHelp)
        throw new ScenarioInputError('run needs a file: troupe run my-scenario.js; see troupe run --help');
      const out = openTerminal(host.stdout, host.env);
      for (const line of runHelp(out)) out.line(line);
      return EXIT.ok;
    }

    const scenarios = await loadScenarios(file);
    const [only] = scenarios;
    // The name, if any, stands right behind the file, where no option's value can be taken for it.
    const next = rest[at];
    const name = next === undefined || next.startsWith('-') ? undefined : next;
    if (name !== undefined)
      return runScenario(named(scenarios, name, file), rest.toSpliced(at, 1), host, `troupe run ${file} ${name}`);
    if (scenarios.length === 1 && only !== undefined) return runScenario(only, rest, host, `troupe run ${file}`);
    if (!wantsHelp)
      throw new ScenarioInputError(
        `${file} has several scenarios; add the name of one: ${scenarios.map(nameOf).join(', ')}`,
      );
    const out = openTerminal(host.stdout, host.env);
    out.line(`troupe run ${file} NAME [options], where NAME is one of`);
    for (const line of listLines(scenarios, out)) out.line(line);
    return EXIT.ok;
  },
};

/** Scenarios as a list: name, title, goal. */
export function listLines(scenarios: readonly ScenarioDefinition[], look: Look): string[] {
  return tableLines(
    scenarios.map(({ name, title, goal }) => ({ flag: name, text: `${title}. ${goal}`.replace(/([.!?])\. /, '$1 ') })),
    look,
  );
}

function named(scenarios: readonly ScenarioDefinition[], name: string, file: string): ScenarioDefinition {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const names = scenarios.map(nameOf);
  throw new ScenarioInputError(
    `${file} has no scenario ${name}${suggestion(name, names) || `; it has ${names.join(', ')}`}`,
  );
}

function nameOf({ name }: ScenarioDefinition): string {
  return name;
}

function runHelp(look: Look): string[] {
  const { palette } = look;
  return [
    'Runs a scenario: a short story on the Troupe API that ends in checks. Any JavaScript file that exports one will do.',
    '',
    palette.bold('Usage'),
    '  troupe run FILE [options]        the one scenario that FILE exports',
    '  troupe run FILE NAME [options]   one of several',
    '  troupe run FILE --help           what it is about, and its own options',
    '',
    palette.bold('Options'),
    ...optionLines(COMMON_OPTIONS, look),
    '',
    palette.bold('Exit code'),
    ...EXIT_CODES.map((line) => `  ${line}`),
    '',
    palette.bold('A scenario'),
    "  import { defineScenario } from 'troupe';",
    '',
    '  export const coinToss = defineScenario({',
    "    name: 'coin-toss',",
    "    title: 'A fair coin',",
    "    goal: 'Show that heads and tails come about equally often.',",
    "    method: 'Toss a seeded coin 10,000 times and count.',",
    "    expected: 'The share of heads is within two percent of a half.',",
    '    run(ctx) {',
    '      let heads = 0;',
    '      for (let toss = 0; toss < 10_000; toss++) if (ctx.random() < 0.5) heads++;',
    "      ctx.checkThat('the coin is fair', Math.abs(heads / 10_000 - 0.5) < 0.02, `${heads} heads`);",
    '    },',
    '  });',
  ];
}
