/** Assertions about types: they hold when this compiles, and do nothing at run time. */

// oxlint-disable typescript/no-unnecessary-type-parameters -- these exist for their type parameters

/** True when two types are the same, `any` being the same only as itself. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only with `true`: `expectTrue<Equal<…, …>>()`. */
export function expectTrue<_Holds extends true>(): void {}

/** Compiles only for a value whose type is exactly `Expected`. */
export function expectType<Expected>(): <Actual>(
  _value: Actual,
  ..._same: Equal<Actual, Expected> extends true ? [] : [never]
) => void {
  return () => {};
}
