/** Waits for what real threads bring about in their own time. */
import { expect } from 'chai';

/** Resolves as soon as the predicate holds; fails when it doesn't within the time. */
export async function eventually(holds: () => boolean | Promise<boolean>, withinMs = 50_000): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > untilMs) expect.fail(`not within ${withinMs} ms: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
