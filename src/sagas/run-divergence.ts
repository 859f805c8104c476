/** The error of a replay that went another way than what is recorded: both steps, and where in the user's code. */
import { TroupeError } from '../core/troupe-error.js';
import type { SagaRun } from './saga-run.js';

/** @param asked undefined: the replay doesn't ask for the step at all */
export function divergenceOf(
  { key, id, definition }: SagaRun,
  step: number,
  recorded: string,
  asked: string | undefined,
): TroupeError {
  const place = asked === undefined ? '' : placeOfCall();
  return new TroupeError(
    'TROUPE_SAGA_DIVERGED',
    `saga ${key}: step ${step} is recorded as "${recorded}", but the replay ` +
      `${asked === undefined ? 'does not ask for it' : `asks for "${asked}"${place}`}; ` +
      'bring back the code that it was started with (for changes use ctx.patched), then retry its dead letter',
    { details: { saga: definition.name, id, step, recorded, asked: asked ?? null, place } },
  );
}

/**
 * The folder of this file, compiled and (with source maps) as it was written; the user may have one of the same name.
 * Without its first slash, as paths and addresses have it in common.
 */
const HERE = new URL('.', import.meta.url).pathname.slice(1);
const WRITTEN = HERE.replace(/dist\/src\/sagas\/$/, 'src/sagas/');

/** Frames to look at. */
const FRAMES = 40;

/** Where in the user's code a step was asked for. */
function placeOfCall(): string {
  // The runtime's own frames would take most of the usual ten.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = FRAMES;
  const lines = (new Error('here').stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  const isOurs = (one: string): boolean => [HERE, WRITTEN].some((folder) => one.replaceAll('\\', '/').includes(folder));
  const line = lines.find((one) => !isOurs(one) && one.includes(':'));
  return line === undefined ? '' : ` (${line.trim()})`;
}
