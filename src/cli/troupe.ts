#!/usr/bin/env node
/**
 * The `troupe` program: finds the command and hands it the rest of the line.
 */
import { readFile } from 'node:fs/promises';
import { suggestion } from '../core/did-you-mean.js';
import { reportError } from '../scenario/run-scenario.js';
import { tableLines } from '../scenario/scenario-help.js';
import { EXIT, type ScenarioHost } from '../scenario/scenario-host.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';
import { openTerminal } from '../scenario/terminal.js';
import { backupCommand } from './backup-command.js';
import type { Command } from './command.js';
import { deadLettersCommand } from './dead-letters-command.js';
import { logCommand } from './log-command.js';
import { runAsProcess } from './process-host.js';
import { runCommand } from './run-command.js';
import { sagasCommand } from './sagas-command.js';
import { stateCommand } from './state-command.js';
import { verifyCommand } from './verify-command.js';
import { viewsCommand } from './views-command.js';

const COMMANDS: readonly Command[] = [
  runCommand,
  logCommand,
  stateCommand,
  verifyCommand,
  deadLettersCommand,
  backupCommand,
  viewsCommand,
  sagasCommand,
];

void runAsProcess(async (host) => {
  try {
    return await troupe(process.argv.slice(2), host);
  } catch (error) {
    return reportError('troupe', error, openTerminal(host.stderr, host.env));
  }
});

async function troupe(args: readonly string[], host: ScenarioHost): Promise<number> {
  const [word, ...rest] = args;
  const out = openTerminal(host.stdout, host.env);
  switch (word) {
    case '--version':
    case '-v':
      out.line(await version());
      return EXIT.ok;
    case '--help':
    case '-h':
    case 'help':
      for (const line of helpText(out)) out.line(line);
      return EXIT.ok;
    case undefined:
      throw new ScenarioInputError(`give a command: ${COMMANDS.map(({ name }) => name).join(', ')}; see troupe --help`);
    default:
      return commandNamed(word).run(rest, host);
  }
}

function commandNamed(word: string): Command {
  const found = COMMANDS.find(({ name }) => name === word);
  if (found !== undefined) return found;
  const known = [...COMMANDS.map(({ name }) => name), '--help', '--version'];
  const what = word.startsWith('-') ? 'option' : 'command';
  throw new ScenarioInputError(`unknown ${what} ${word}${suggestion(word, known) || '; see troupe --help'}`);
}

function helpText(out: Parameters<typeof tableLines>[1]): string[] {
  const { palette } = out;
  return [
    'Troupe: an actor-model runtime for Node.js, event-sourced to one SQLite file.',
    '',
    palette.bold('Usage'),
    '  troupe COMMAND [options]',
    '',
    palette.bold('Commands'),
    ...tableLines(
      COMMANDS.map(({ usage, summary }) => ({ flag: usage, text: summary })),
      out,
    ),
    '',
    '  troupe COMMAND --help says more about one.',
    '',
    palette.bold('Options'),
    ...tableLines(
      [
        { flag: '-h, --help', text: 'show this help' },
        { flag: '-v, --version', text: 'show the version' },
      ],
      out,
    ),
  ];
}

/** From the package's own manifest, three folders above the compiled file. */
async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  const found =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof found === 'string' ? found : 'unknown';
}
