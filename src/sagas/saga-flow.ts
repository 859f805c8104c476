/** How many sagas of a definition are at work, how fast they begin, and how many asks they have under way: options. */
import type { Duration } from '../core/duration.js';
import { LIMITS } from '../core/limits.js';
import type { OptionReader } from '../core/option-reader.js';

/** How many sagas of a definition may have begun and not ended; the others wait for their turn, in order of their starts. */
export interface SagaConcurrency<Input = unknown> {
  /** In total. */
  readonly total?: number;
  /** For each key, such as 1 for each customer. */
  readonly perKey?: number;
  /** The key of a saga, from its start event or input; it has to be given with `perKey`. */
  readonly key?: (input: Input) => string;
}

/** Never more than so many begin within any such time. */
export interface SagaRate {
  readonly starts: number;
  readonly per: Duration;
}

/** Asks that all sagas of a definition together have under way; further ones wait, in order. */
export interface SagaAskLimits {
  readonly total?: number;
  /** To all instances of one definition: what a service can bear. */
  readonly perDefinition?: number;
  /** To one instance. */
  readonly perInstance?: number;
}

/** The options, complete; undefined where nothing is limited. */
export interface FlowSettings {
  readonly concurrency:
    | { readonly total: number; readonly perKey: number; readonly key: ((input: unknown) => unknown) | undefined }
    | undefined;
  readonly rate: { readonly starts: number; readonly perMs: number } | undefined;
  readonly asks: Required<SagaAskLimits> | undefined;
}

/** @throws TROUPE_INVALID_OPTIONS */
export function readFlow(given: OptionReader): FlowSettings {
  const bounds = { min: 1, infinite: true } as const;
  const concurrency = given.nested('concurrency', ['total', 'perKey', 'key']);
  const rate = given.nested('rate', ['starts', 'per']);
  const asks = given.nested('asks', ['total', 'perDefinition', 'perInstance']);
  const hasKey = concurrency.value('key') !== undefined;
  if (hasKey !== (concurrency.value('perKey') !== undefined)) {
    throw concurrency.refusal(
      hasKey ? 'perKey' : 'key',
      'give perKey and key together: one says how many, the other of what',
    );
  }
  return {
    concurrency:
      given.value('concurrency') === undefined
        ? undefined
        : {
            total: concurrency.integer('total', bounds, Infinity),
            perKey: concurrency.integer('perKey', bounds, Infinity),
            // Called with the start event or the input, as SagaConcurrency says.
            key: concurrency.optionalFunction('key', '(input) => text') as ((input: unknown) => unknown) | undefined,
          },
    rate:
      given.value('rate') === undefined
        ? undefined
        : {
            starts: rate.integer('starts', { min: 1, max: LIMITS.sagaRateStarts }),
            perMs: rate.durationMs('per', 1_000, { min: 1 }),
          },
    asks:
      given.value('asks') === undefined
        ? undefined
        : {
            total: asks.integer('total', bounds, Infinity),
            perDefinition: asks.integer('perDefinition', bounds, Infinity),
            perInstance: asks.integer('perInstance', bounds, Infinity),
          },
  };
}
