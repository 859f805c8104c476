/** Runs a tool within the test, on a journal made by a small shop of accounts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ActorSystem, type Clock } from 'troupe';
import type { Command } from '../../src/cli/command.js';
import { reportError } from '../../src/scenario/run-scenario.js';
import { openTerminal } from '../../src/scenario/terminal.js';
import { type FakeHost, fakeHost } from '../scenario/fake-host.js';
import { account, definitions } from './fixtures/accounts.js';

/** The module that exports the definitions. */
export const ACCOUNTS = fileURLToPath(new URL('./fixtures/accounts.js', import.meta.url));

export interface ToolEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of standard output. */
  readonly lines: readonly string[];
  /** Lines of standard output, each parsed as JSON. */
  json(): Record<string, unknown>[];
}

/** Runs a command as the program would. */
export async function runTool(
  command: Command,
  args: readonly string[],
  host: FakeHost = fakeHost(),
): Promise<ToolEnd> {
  const code = await command
    .run(args, host)
    .catch((error: unknown) => reportError('troupe', error, openTerminal(host.stderr, host.env)));
  const { text, lines } = host.stdout;
  return {
    code,
    stdout: text,
    stderr: host.stderr.text,
    lines,
    json: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** A folder that goes away with the suite; call it within `describe`. */
export function folderOfSuite(): { path(name: string): string } {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-tools-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return { path: (name) => join(folder, name) };
}

/** A system of accounts on a journal; nothing is logged. */
export function startAccounts(journal: string, clock?: Clock): Promise<ActorSystem> {
  const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  return ActorSystem.start({
    cast: definitions,
    workers: 0,
    journal,
    log: quiet,
    ...(clock === undefined ? {} : { clock }),
  });
}

/** Ada receives 100 and pays 30 to Ben; Cleo receives 5: four events, one of them by reaction. */
export async function fillAccounts(journal: string, clock?: Clock): Promise<void> {
  const system = await startAccounts(journal, clock);
  await system.ref(account, 'ada').ask('receive', { amount: 100 }, { id: 'gift' });
  await system.ref(account, 'ada').ask('pay', { amount: 30, to: 'ben' }, { id: 'invoice', correlationId: 'trade' });
  await system.settled();
  await system.ref(account, 'cleo').ask('receive', { amount: 5 }, { id: 'found' });
  await system.settled();
  await system.stop();
}

function nothing(): void {
  // Warnings are not what these tests are about.
}
