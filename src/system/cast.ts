/**
 * The cast: the definitions that a system knows, from a module or given directly.
 *
 * Every exported definition counts, also those in exported arrays; other exports are the module's own business.
 */
import type { RuntimeActor } from '../actors/actor-definition.js';
import type { RuntimeAggregate } from '../actors/aggregate-definition.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { RuntimeProjection } from '../projections/projection-definition.js';
import type { RuntimeReaction } from '../reactions/reaction-definition.js';
import type { RuntimeSaga } from '../sagas/saga-definition.js';

/** A definition of any kind, its types erased. */
export type AnyDefinition = RuntimeActor | RuntimeAggregate | RuntimeReaction | RuntimeSaga | RuntimeProjection;

/** Definitions by kind; names are unique. */
export interface Cast {
  readonly actors: readonly RuntimeActor[];
  readonly aggregates: readonly RuntimeAggregate[];
  readonly reactions: readonly RuntimeReaction[];
  readonly sagas: readonly RuntimeSaga[];
  readonly projections: readonly RuntimeProjection[];
  /** Functions that the module exports, and under which name: what `offload` can run on another thread. */
  readonly functions: ReadonlyMap<unknown, string>;
}

/** @throws TROUPE_INVALID_OPTIONS when the module can't be loaded or exports nothing of use, or a name is taken twice */
export async function loadCast(source: URL | string | readonly unknown[]): Promise<Cast> {
  if (Array.isArray(source)) return castOf(checked(source), 'the cast', new Map());
  const url = String(source);
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const advice = /\.[cm]?tsx?$/.test(url) ? '; it is TypeScript: compile it, and give the URL of the JavaScript' : '';
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `the cast ${url} can't be loaded: ${text}${advice}`, { cause });
  }
  const definitions = new Set<AnyDefinition>();
  for (const exported of Object.values(module)) {
    for (const one of Array.isArray(exported) ? (exported as unknown[]) : [exported]) {
      if (isDefinition(one)) definitions.add(one);
    }
  }
  if (definitions.size === 0) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `the cast ${url} exports no definition; export what aggregate(), actor(), reaction(), saga() and projection() return`,
    );
  }
  const functions = Object.entries(module).filter(([, exported]) => typeof exported === 'function');
  return castOf(definitions, url, new Map(functions.map(([name, exported]) => [exported, name])));
}

function checked(source: readonly unknown[]): Set<AnyDefinition> {
  const definitions = new Set<AnyDefinition>();
  for (const [index, one] of source.entries()) {
    if (!isDefinition(one)) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `cast[${index}] is ${showValue(one)}; give what aggregate(), actor(), reaction(), saga() and projection() return`,
      );
    }
    definitions.add(one);
  }
  return definitions;
}

const KINDS: ReadonlySet<unknown> = new Set(['actor', 'aggregate', 'reaction', 'saga', 'projection']);

function isDefinition(value: unknown): value is AnyDefinition {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, name, options } = value as Partial<Record<'kind' | 'name' | 'options', unknown>>;
  return KINDS.has(kind) && typeof name === 'string' && typeof options === 'object';
}

function castOf(definitions: Iterable<AnyDefinition>, where: string, functions: ReadonlyMap<unknown, string>): Cast {
  const byName = new Map<string, AnyDefinition>();
  for (const definition of definitions) {
    const other = byName.get(definition.name);
    if (other !== undefined) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `${where}: two definitions are named ${definition.name} (${other.kind} and ${definition.kind}); names are unique within a system`,
      );
    }
    byName.set(definition.name, definition);
  }
  const all = [...byName.values()];
  checkFormerNames(all, byName, where);
  for (const one of all) if (one.kind !== 'actor' && one.kind !== 'aggregate') checkSources(one, byName, where);
  return {
    actors: all.filter((one) => one.kind === 'actor'),
    aggregates: all.filter((one) => one.kind === 'aggregate'),
    reactions: all.filter((one) => one.kind === 'reaction'),
    sagas: all.filter((one) => one.kind === 'saga'),
    projections: all.filter((one) => one.kind === 'projection'),
    functions,
  };
}

/** Two reactions of one durable name would share a checkpoint. */
function checkFormerNames(
  all: readonly AnyDefinition[],
  byName: ReadonlyMap<string, AnyDefinition>,
  where: string,
): void {
  const taken = new Map<string, string>();
  for (const one of all) {
    if (one.kind !== 'reaction' || one.options.durableName === one.name) continue;
    const { durableName } = one.options;
    const other = byName.get(durableName)?.name ?? taken.get(durableName);
    taken.set(durableName, one.name);
    if (other === undefined) continue;
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${where}: reaction ${one.name} was formerly ${durableName}, and so is, or was, ${other}; only one can go on under that name`,
    );
  }
}

/** A consumer of events that nobody in this system emits would wait for ever, in silence. */
function checkSources(
  consumer: RuntimeReaction | RuntimeSaga | RuntimeProjection,
  byName: ReadonlyMap<string, AnyDefinition>,
  where: string,
): void {
  for (const source of consumer.options.of ?? []) {
    if (byName.get(source.name)?.kind === 'aggregate') continue;
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${where}: ${consumer.kind} ${consumer.name} follows the aggregate ${source.name}, which is not in the cast; export it too`,
      { details: { consumer: consumer.name, aggregate: source.name } },
    );
  }
}
