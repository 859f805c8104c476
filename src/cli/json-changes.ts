/**
 * What has changed from one JSON value to another, field by field.
 */

/** One field that is not what it was; undefined stands for a field that isn't there. */
export interface JsonChange {
  /** Such as `lines[2].quantity`; empty for the value itself. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The changes, in the order of the fields. */
export function changesBetween(before: unknown, after: unknown, path = ''): JsonChange[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const items: [string, unknown, unknown][] = [];
    for (let i = 0; i < Math.max(before.length, after.length); i += 1) items.push([`[${i}]`, before[i], after[i]]);
    return items.flatMap(([step, one, other]) => changesBetween(one, other, path + step));
  }
  if (isFields(before) && isFields(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => changesBetween(own(before, name), own(after, name), path + stepTo(name, path)));
  }
  return [{ path, before, after }];
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function stepTo(name: string, path: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `[${JSON.stringify(name)}]`;
  return path === '' ? name : `.${name}`;
}
