/**
 * From emitted data to a staged event: checked, encoded once, and read back exactly as the journal keeps it.
 *
 * Staging happens when the handler emits, so that what it does with the object afterwards changes
 * nothing, and `apply` gets live what it will get in recovery.
 */
import { copyJson } from '../core/json-value.js';
import { formatIssues, validateSync } from '../core/schema.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { suggestion } from '../core/did-you-mean.js';
import type { RuntimeAggregate, RuntimeEvent } from './aggregate-definition.js';

/** An event on its way from the handler to the journal. */
export interface StagedEvent {
  readonly type: string;
  readonly definition: RuntimeEvent;
  readonly data: unknown;
  readonly dataText: string;
  /** Given by the caller of `append`; else derived from the version. */
  readonly id: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

/**
 * @throws TROUPE_INVALID_EVENT when the type is unknown or the data doesn't pass its schema.
 * @throws TROUPE_NOT_SERIALIZABLE when the data is no JSON value.
 */
export function stageEvent(
  aggregate: RuntimeAggregate,
  aggregateId: string,
  type: string,
  data: unknown,
  extra?: { readonly id?: string | undefined; readonly metadata?: Readonly<Record<string, unknown>> | undefined },
): StagedEvent {
  const definition = aggregate.options.events.get(type);
  if (definition === undefined) throw notDefined(aggregate, aggregateId, type);
  const where = (): string => `${aggregate.name}/${aggregateId}: event ${type}`;
  const value = definition.schema === undefined ? data : validated(definition.schema, data, where);
  const stored = copyJson(value, where);
  if (stored === undefined) {
    throw new TroupeError(
      'TROUPE_INVALID_EVENT',
      `${where()} has no data; emit a JSON value, null if there is nothing`,
      {
        details: { aggregate: aggregate.name, id: aggregateId, type },
      },
    );
  }
  return {
    type,
    definition,
    data: stored,
    dataText: JSON.stringify(stored),
    id: extra?.id,
    metadata: extra?.metadata,
  };
}

/** JavaScript may pass anything as a type. */
function notDefined(aggregate: RuntimeAggregate, id: string, type: unknown): TroupeError {
  const named = typeof type === 'string';
  const near = named ? suggestion(type, aggregate.options.events.keys()) : '';
  return new TroupeError(
    'TROUPE_INVALID_EVENT',
    `${aggregate.name}/${id}: event ${named ? type : showValue(type)} is not defined${near}; ` +
      `add it to the events of ${aggregate.name}`,
    { details: { aggregate: aggregate.name, id, type: named ? type : showValue(type) } },
  );
}

function validated(schema: NonNullable<RuntimeEvent['schema']>, data: unknown, where: () => string): unknown {
  const result = validateSync(schema, data, () => `${where()}: schema`);
  if (result.issues === undefined) return result.value;
  throw new TroupeError('TROUPE_INVALID_EVENT', `${where()} does not pass its schema: ${formatIssues(result.issues)}`, {
    details: { issues: result.issues.map((issue) => issue.message) },
  });
}
