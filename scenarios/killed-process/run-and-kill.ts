/**
 * Runs a program of ours as a child process and kills it with SIGKILL: no handler runs, no buffer is flushed.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How a child ended, and the lines it had written by then. */
export interface ChildEnd {
  readonly killed: boolean;
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

export interface ChildOptions {
  readonly args: readonly string[];
  /** Ends the child when it has written so many lines; undefined: it ends by itself. */
  readonly killAfterLines?: number;
  readonly signal: AbortSignal;
}

/** Runs `node program args` until it ends or is killed; one that is to be killed is told so by `to-be-killed` as its last argument. */
export function runAndKill(program: URL, { args, killAfterLines, signal }: ChildOptions): Promise<ChildEnd> {
  const told = killAfterLines === undefined ? args : [...args, 'to-be-killed'];
  const child = spawn(process.execPath, ['--enable-source-maps', fileURLToPath(program), ...told], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const abort = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', abort, { once: true });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (killAfterLines !== undefined && output.split('\n').length > killAfterLines) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, how) => {
      signal.removeEventListener('abort', abort);
      // The last line may have been cut while it was read.
      resolve({ killed: how === 'SIGKILL', code, lines: output.split('\n').slice(0, -1), errors });
    });
  });
}
