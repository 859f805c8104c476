/** The priority of a message to a plain actor: what its sender gives, else what the definition says of its type. */
import { showThrown, showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { RuntimeActor } from './actor-definition.js';

/**
 * The priority under which a message waits; whoever makes the envelope asks for it once.
 *
 * @param given `options.priority` of the sender; undefined when it gave none.
 * @throws TROUPE_INVALID_OPTIONS when either is no number, or the definition's function throws
 */
export function priorityOf(definition: RuntimeActor, type: string, given: number | undefined): number {
  const found: unknown = given ?? prioritised(definition, type);
  if (typeof found === 'number' && !Number.isNaN(found)) return found;
  const whose = given === undefined ? `what mailbox.priority returns for ${type}` : 'options.priority';
  throw new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `${definition.name}: ${whose} is ${showValue(found)}; give a number, higher first`,
    {
      details: { target: definition.name, type },
    },
  );
}

function prioritised(definition: RuntimeActor, type: string): unknown {
  try {
    return definition.options.mailbox.priority?.(type) ?? 0;
  } catch (cause) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${definition.name}: mailbox.priority threw for ${type}: ${showThrown(cause)}; it has to give a number`,
      { cause, details: { target: definition.name, type } },
    );
  }
}
