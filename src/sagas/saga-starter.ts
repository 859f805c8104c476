/**
 * The reaction behind `startOn`: each start event starts one saga, and the checkpoint passes it once that is durable.
 *
 * What reactions have (recovery, order by aggregate, backoff, parking of events whose id can't be told) is not
 * written again. Its name is `<saga>:start`, which no definition can have.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { type RuntimeReaction, reaction } from '../reactions/reaction-definition.js';
import type { RuntimeSaga } from './saga-definition.js';

/** @param start resolves when the saga is durable, or was before */
export function starterOf(
  { name, options }: RuntimeSaga,
  start: (event: RecordedEvent, id: string) => Promise<void>,
): RuntimeReaction {
  const { of, startOn = '', from } = options;
  const settings = reaction({
    name,
    on: {
      [startOn]: (event: RecordedEvent) => {
        const id: unknown = options.id(event);
        if (typeof id === 'string' && id !== '') return start(event, id);
        throw new TroupeError(
          'TROUPE_INVALID_OPTIONS',
          `saga ${name}: its option id gave ${showValue(id)} for ${event.type} at position ${event.position}; return a text`,
        );
      },
    },
    from,
    whenParked: 'skip',
  }).options;
  return Object.freeze({
    kind: 'reaction',
    name: starterName(name),
    options: { ...settings, of, durableName: starterName(name) },
  });
}

/** The name of the reaction that starts a saga. */
export function starterName(saga: string): string {
  return `${saga}:start`;
}

/** The saga that a reaction starts, if it is such a one. */
export function startedBy(reaction: string): string {
  return reaction.replace(/:start$/, '');
}
