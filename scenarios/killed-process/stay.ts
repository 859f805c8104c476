/**
 * What the killed process has to do about it: not to be through before the signal comes, on whatever machine.
 */

/** Stays alive for ever if whoever started this process is going to kill it. */
export async function stayIfToBeKilled(): Promise<void> {
  if (process.argv.at(-1) !== 'to-be-killed') return;
  setInterval(() => undefined, 1_000);
  await new Promise(() => undefined);
}
