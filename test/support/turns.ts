/** Turns of the event loop instead of sleeping: what is ready gets done, and time stands still. */

/** Lets everything run that is ready, several rounds of it. */
export async function turns(count = 4): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Turns until the condition holds. */
export async function until(condition: () => boolean, what: string, most = 20_000): Promise<void> {
  for (let i = 0; i < most; i += 1) {
    if (condition()) return;
    await turns(1);
  }
  throw new Error(`${what} has not come about within ${most} turns of the event loop`);
}
