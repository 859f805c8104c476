/**
 * Where and of what a result was measured: without that a number means nothing.
 */
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** Such as `4 x Example CPU at 2.4 GHz, 16 GB, linux x64`. */
export function machineText(): string {
  const processors = cpus();
  const model = processors[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown processor';
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} x ${model}, ${memoryGb} GB, ${process.platform} ${process.arch}`;
}

/** Short hash of the commit of the folder; with `+` when files differ from it; `unknown` outside a repository. */
export function commitText(folder: URL): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}
