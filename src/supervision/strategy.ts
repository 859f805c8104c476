/**
 * Strategies: whom the failure of one child concerns.
 *
 * @see https://www.erlang.org/doc/system/sup_princ.html#restart-strategy
 */

/** Whom a failure concerns: the failed child, all children, or the failed one and those spawned after it. */
export type Strategy = 'one-for-one' | 'all-for-one' | 'rest-for-one';

/**
 * The children that a failure concerns, in the order in which they were spawned.
 *
 * @param children all living children in the order spawned, the failed one among them.
 */
export function concerned<Child>(strategy: Strategy, children: readonly Child[], failed: Child): readonly Child[] {
  switch (strategy) {
    case 'one-for-one':
      return [failed];
    case 'all-for-one':
      return children;
    case 'rest-for-one':
      return children.slice(children.indexOf(failed));
  }
  return strategy satisfies never;
}
