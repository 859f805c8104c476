/** Metadata of a message or event: a JSON object, copied when it is given, so that its sender can't change it later. */
import { encodeJson } from './json-value.js';
import { showValue } from './show-value.js';
import { TroupeError } from './troupe-error.js';

/**
 * @param where names the value in the error message, such as `order/42: options.metadata`.
 * @throws TROUPE_INVALID_OPTIONS when it is no object, TROUPE_NOT_SERIALIZABLE when a field is no JSON value.
 */
export function readMetadata(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `${where} is ${showValue(value)}; give an object of JSON values`);
  }
  // The text of an object is there, and reads back as one.
  return JSON.parse(encodeJson(value, where) ?? '{}') as Record<string, unknown>;
}
