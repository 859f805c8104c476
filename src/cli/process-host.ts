/**
 * Runs a command as this process: streams, signals, errors nobody caught, and an exit code that never says 0 by accident.
 *
 * The exit code is set and the loop left to end by itself, so that nothing written is lost. What still keeps the process
 * alive after a short time is named and ended. A command that is cut off (it calls `process.exit`, or waits for what can
 * never come) fails.
 */
import { inspect } from 'node:util';
import { systemClock } from '../core/clock.js';
import { EXIT, Interruption, type ScenarioHost, STOP_WITHIN_MS } from '../scenario/scenario-host.js';
import { oneLine } from '../scenario/scenario-input-error.js';
import type { TextStream } from '../scenario/terminal.js';

/** Time the process has to end by itself once its command is done. */
const LINGER_MS = 2_000;

/**
 * Ctrl-C goes to all processes of a terminal, and npm passes on what it got: signals this close are one and the same
 * wish, and don't end at once what is to stop cleanly.
 */
const ECHO_MS = 250;

/** Runs `main` and leaves its exit code to the process. Call it once, as the last thing of a program's entry file. */
export async function runAsProcess(main: (host: ScenarioHost) => Promise<number>): Promise<void> {
  const ending = new AbortController();
  const { stdout, stderr } = process;
  // Behind the line above, which opens the pipes of this process.
  const atStart = process.getActiveResourcesInfo();
  let signalledMs = Number.NEGATIVE_INFINITY;
  let done = false;
  let uncaught = false;

  for (const stream of [stdout, stderr]) {
    // Whoever read has gone (`| head`): there is nobody to tell, and the work goes on.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') ending.abort(error);
    });
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const nowMs = systemClock.monotonic();
      const echo = nowMs - signalledMs < ECHO_MS;
      signalledMs = nowMs;
      if (echo && !done) return;
      if (done || ending.signal.aborted) process.exit(EXIT[signal]);
      ending.abort(new Interruption(signal));
      // A scenario is given its time by the runner; this is for what doesn't listen, such as a module still loading.
      systemClock.setTimer(STOP_WITHIN_MS + LINGER_MS, () => process.exit(EXIT[signal]), true);
    });
  }
  process.on('uncaughtException', (error: unknown) => {
    if (!done && !ending.signal.aborted) return ending.abort(error);
    uncaught = true;
    stderr.write(`an error nobody caught: ${inspect(error)}\n`);
    if (done) process.exitCode = EXIT.failed;
  });
  process.on('beforeExit', () => {
    if (!done && !ending.signal.aborted)
      ending.abort(new Error('waits for something that can never come: nothing is left to do'));
  });
  process.on('exit', (code) => {
    if (done) return;
    if (!ending.signal.aborted) stderr.write(`process.exit(${code}) was called before the end\n`);
    else if (!(ending.signal.reason instanceof Interruption))
      stderr.write(`ended too early: ${oneLine(ending.signal.reason)}\n`);
    if (code === EXIT.ok) process.exitCode = EXIT.failed;
  });

  try {
    const code = await main({ stdout, stderr, env: process.env, clock: systemClock, ending: ending.signal });
    process.exitCode = code === EXIT.ok ? exitCodeOf(ending.signal, uncaught) : code;
  } catch (error) {
    stderr.write(`${inspect(error)}\n`);
    process.exitCode = EXIT.failed;
  } finally {
    done = true;
    systemClock.setTimer(LINGER_MS, () => void endLingering(atStart), true);
  }
}

/** The exit code of a command that thinks all went well, and may not know what happened meanwhile. */
function exitCodeOf(ending: AbortSignal, uncaught: boolean): number {
  if (!ending.aborted) return uncaught ? EXIT.failed : EXIT.ok;
  if (ending.reason instanceof Interruption) return EXIT[ending.reason.signal];
  process.stderr.write(`an error nobody caught: ${inspect(ending.reason)}\n`);
  return EXIT.failed;
}

/** Something keeps the process alive that the command forgot to close: says what, and ends it. */
async function endLingering(atStart: readonly string[]): Promise<void> {
  const open = process.getActiveResourcesInfo();
  for (const resource of atStart) {
    const index = open.indexOf(resource);
    if (index >= 0) open.splice(index, 1);
  }
  const names = [...new Set(open)].map((name) => `${open.filter((other) => other === name).length} ${name}`);
  process.stderr.write(`still open ${LINGER_MS / 1_000} s after the end: ${names.join(', ') || 'unknown'}; ended\n`);
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit();
}

/** Resolves when everything written so far has left the process, or can't any more. */
function written(stream: TextStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
