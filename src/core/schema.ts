/**
 * Schemas: any synchronous Standard Schema (zod, valibot, arktype) checks and transforms what passes an edge.
 *
 * Validation stands on hot paths (each command and each event with a schema): a valid value costs one call of the
 * schema and no promise. Whether a schema is asynchronous can't be seen before it is used: it is refused then.
 *
 * @see https://standardschema.dev
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { showCause } from './show-value.js';
import { TroupeError } from './troupe-error.js';

/** A schema that takes `Input` and yields `Output`. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>;

/** The outcome of a validation: the value that the schema made of its input, or what was wrong with that. */
export type Validation<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaV1.Issue[] };

/** Whether a value is a Standard Schema; some of them (arktype) are functions. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value))
    return false;
  // Reading a field of an object as unknown is safe.
  const standard = value['~standard'] as { readonly version?: unknown; readonly validate?: unknown } | null | undefined;
  return standard?.version === 1 && typeof standard.validate === 'function';
}

/**
 * Validates at once.
 *
 * @param where names the value in the error message, such as `aggregate order: schema of command create`.
 * A schema that throws (a refinement that met what it didn't expect) has an issue with the value.
 *
 * @throws TROUPE_INVALID_OPTIONS when the schema is asynchronous.
 */
export function validateSync<Output>(
  schema: Schema<unknown, Output>,
  value: unknown,
  where: string | (() => string) = 'a schema',
): Validation<Output> {
  let result: ReturnType<Schema<unknown, Output>['~standard']['validate']>;
  try {
    result = schema['~standard'].validate(value);
    if (!('then' in result)) return result;
  } catch (error) {
    return { issues: [{ message: `its schema threw ${showCause(error)}` }] };
  }
  // Nobody waits for it; a rejection must not end the process.
  result.catch(() => undefined);
  const named = typeof where === 'string' ? where : where();
  throw new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `${named} is asynchronous; give one that validates at once: no async refinements or transforms. What needs to wait belongs into the handler`,
    { details: { where: named, vendor: schema['~standard'].vendor } },
  );
}

/**
 * The issues as one text, each with the path of its field: `lines[0].quantity: expected a number; total: required`.
 *
 * Names at most five; a value that is wrong throughout would bury the message.
 */
export function formatIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, 5).map((issue) => {
    const path = formatPath(issue.path ?? []);
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  if (issues.length > shown.length) shown.push(`and ${issues.length - shown.length} more`);
  return shown.join('; ');
}

function formatPath(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  let text = '';
  for (const step of path) {
    const key = typeof step === 'object' ? step.key : step;
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}
