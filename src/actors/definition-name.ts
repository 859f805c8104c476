/**
 * Names: of definitions, and of the messages and events within them.
 *
 * Names of definitions stand in event ids (`order/42@7`) and name tables, so they are narrow; types of messages and
 * events are any text.
 */
import { OptionReader } from '../core/option-reader.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
const LONGEST_TYPE = 200;

/** Whether a value may be the name of a definition. */
export function isDefinitionName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

/**
 * Reads the options of a definition, its name first: every later message says whose options they are.
 *
 * @param kind the factory that was called, such as `aggregate`.
 * @throws TROUPE_INVALID_OPTIONS when the options are no object, the name is unusable or a key is unknown.
 */
export function readDefinition(
  kind: string,
  value: unknown,
  known: readonly string[],
): { name: string; options: OptionReader } {
  const name = new OptionReader(`${kind}()`, value).value('name');
  if (!isDefinitionName(name)) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${kind}(): option "name" is ${showValue(name)}; give 1 to 100 letters, digits, '_', '.' or '-', a letter first`,
      { details: { owner: kind, option: 'name', value: showValue(name) } },
    );
  }
  return { name, options: new OptionReader(`${kind} ${name}`, value, known) };
}

/**
 * The keys of an object that names types of messages or events.
 *
 * @throws TROUPE_INVALID_OPTIONS for an empty name, or one of more than 200 characters.
 */
export function readTypes(options: OptionReader, noun: string): string[] {
  const types = options.keys();
  for (const type of types) {
    if (type === '' || type.length > LONGEST_TYPE)
      throw options.refusal(type, `name the ${noun} with 1 to ${LONGEST_TYPE} characters`);
  }
  return types;
}
