/**
 * Runs one arm once, in a process of its own, so that neither its garbage nor its compiled code touches another arm.
 *
 * The child has to end by itself once it has reported: what keeps it alive would keep a user's program alive too.
 * It leads a process group, so that whoever it starts ends with it, and Ctrl-C reaches only the bench, which then ends
 * all of them. Its folder is made here and is gone afterwards, however the child ended.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArmReport } from './arm-process.js';
import type { FoundSuite } from './find-suites.js';
import type { Pace } from './pace.js';
import type { ArmContext } from './suite.js';

export interface ArmRun {
  readonly found: FoundSuite;
  readonly arm: string;
  readonly pace: Omit<Pace, 'rounds'>;
  /** The folder below which arms get theirs. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** Time beyond warm-up and measurement until an arm counts as hanging: set-up, draining, checking, on a busy machine. */
const SLACK_MS = 180_000;
/** Time to end after the report. */
const LINGER_MS = 10_000;
/** Files that something still writes to while it is being ended may come back. */
const REMOVALS = 5;
/** Characters of a child's standard error that are kept. */
const COMPLAINTS = 4_000;

/** @throws Error when the arm throws, crashes, hangs, or does not end; the message says which. */
export async function runArm({ found, arm, pace, scratch, signal }: ArmRun): Promise<ArmReport> {
  signal.throwIfAborted();
  mkdirSync(resolve(scratch), { recursive: true });
  const folder = mkdtempSync(join(resolve(scratch), 'bench-'));
  const { warmupMs, measureMs, scale } = pace;
  const context: ArmContext = { warmupMs, measureMs, scale, folder };
  try {
    const entry = fileURLToPath(new URL('./arm-process.js', import.meta.url));
    const child = fork(entry, [found.module.href, found.suite.name, arm, JSON.stringify(context)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Not the options of the bench: reading source maps takes a fifth of the start.
      execArgv: [],
      detached: true,
    });
    return await reportOf(child, SLACK_MS + pace.measureMs + 20 * pace.warmupMs, signal);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: REMOVALS });
  }
}

async function reportOf(child: ChildProcess, limitMs: number, signal: AbortSignal): Promise<ArmReport> {
  let report: ArmReport | undefined;
  let complaint = '';
  let killedBecause: string | undefined;
  const kill = (why: string): void => {
    killedBecause = why;
    killGroup(child);
  };
  const interrupted = (): void => kill('it was interrupted');
  signal.addEventListener('abort', interrupted);
  let timer = setTimeout(kill, limitMs, `it was not done within ${limitMs / 1_000} s`);
  child.stderr?.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-COMPLAINTS);
  });
  child.on('message', (message) => {
    // Only arm-process.ts, of this same version, sends here, and only this.
    report = message as unknown as ArmReport;
    clearTimeout(timer);
    timer = setTimeout(kill, LINGER_MS, `something keeps its process alive ${LINGER_MS / 1_000} s after the end`);
  });
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.on('error', reject);
      // Not 'exit': standard error may still hold the reason then.
      child.on('close', (exitCode, exitSignal) => resolve(exitCode ?? exitSignal ?? 'nothing'));
    });
    if (killedBecause === undefined && code === 0 && report !== undefined) return report;
    const why = killedBecause ?? (code === 0 ? 'it reported nothing' : `its process ended with ${code}`);
    throw new Error(complaint.trim() === '' ? why : `${why}\n${complaint.trimEnd()}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupted);
  }
}

/** The child and whoever it has started. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // They have just ended.
  }
}
