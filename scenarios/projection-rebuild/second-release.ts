/**
 * The program of the second release: starts, which begins the rebuild, and says how it gets on. One that is to be killed
 * in the middle stands still there, so that it is not through before the signal comes, on whatever machine.
 */
import { ActorSystem, type BuildProgress } from 'troupe';
import { usageByDayWithChecksum } from './meter.js';

/** What it says of itself to whoever started it. */
export type Saying =
  | { readonly kind: 'progress'; readonly progress: BuildProgress; readonly oldRows: number }
  | { readonly kind: 'done'; readonly rows: readonly unknown[] };

const [journal = '', workers = '0', standsAt = 'Infinity'] = process.argv.slice(2);
const system = await ActorSystem.start({
  name: 'second release',
  cast: new URL('./release-2.js', import.meta.url),
  journal: { path: journal, durability: 'os' },
  workers: Number(workers),
});
const view = system.view(usageByDayWithChecksum);
// Stops with whoever started it.
process.on('disconnect', () => process.exit(1));
view.progress().subscribe((progress) => {
  // The old rows answer meanwhile.
  void view.count({ where: { readings: { gt: 0 } } }).then((oldRows) => {
    say({ kind: 'progress', progress, oldRows });
    if (progress.share >= Number(standsAt)) standStill();
  });
});
await view.caughtUp(undefined, { timeout: '10m' });
say({ kind: 'done', rows: await view.find() });
await system.stop();
process.disconnect();

function say(saying: Saying): void {
  if (process.connected) process.send?.(saying);
}

/** Until the process is killed. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
