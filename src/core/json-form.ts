/**
 * What a type becomes as JSON: for the compiler only.
 *
 * A type passes when it is assignable to its own JSON form. Class instances fail by their methods (Date, Map,
 * typed arrays), and the compiler's message names the field. Written so that recursive types and interfaces pass,
 * which a plain `T extends JsonValue` would refuse. At run time `json-value.ts` checks the values themselves.
 */

type JsonPrimitive = string | number | boolean | null;

/** Stands where a type holds what JSON can't keep; nothing can be assigned to it. */
export interface NotJson {
  readonly 'not a JSON value': never;
}

/** The type itself where JSON keeps it, `NotJson` at the places where it doesn't. Unknown fields pass. */
export type JsonForm<T> = unknown extends T
  ? T
  : T extends JsonPrimitive | undefined | void
    ? T
    : T extends bigint | symbol | ((...args: never) => unknown)
      ? NotJson
      : { [K in keyof T]: JsonForm<T[K]> };

/** A type whose values nobody changes, at any depth. */
export type DeepReadonly<T> = unknown extends T
  ? T
  : T extends JsonPrimitive | undefined
    ? T
    : { readonly [K in keyof T]: DeepReadonly<T[K]> };
