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

/** Where in the user's code a step was asked for. */
function placeOfCall(): string {
  const lines = (new Error('here').stack ?? '').split('\n').slice(1);
  const line = lines.find((one) => !/[/\\]sagas[/\\]/.test(one) && one.includes(':'));
  return line === undefined ? '' : ` (${line.trim()})`;
}
