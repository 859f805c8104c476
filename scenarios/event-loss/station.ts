/**
 * The process that is killed: places orders, and lets the consumer work on what is there. Writes a line for each order
 * that is acknowledged, and `at N` now and then for the position that the consumer has come to.
 *
 * Arguments: journal, workers, name of the run, number of the first order, number behind the last one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActorSystem } from 'troupe';
import { stayIfToBeKilled } from '../killed-process/stay.js';
import { pack } from './cast-with-consumer.js';
import { order } from './cast.js';

/** Customers, each with orders of its own. */
export const CUSTOMERS = 20;

const [journal = '', workers = '', run = '', first = '', end = ''] = process.argv.slice(2);
const system = await ActorSystem.start({
  cast: new URL('./cast-with-consumer.js', import.meta.url),
  journal,
  workers: workers === 'auto' ? 'auto' : Number(workers),
});
process.stdout.write(`at ${system.reaction(pack).status().position}\n`);
for (let n = Number(first); n < Number(end); n += 1) {
  await system.ref(order, `${run}-customer-${n % CUSTOMERS}`).ask('place', { n }, { id: `order-${n}` });
  process.stdout.write(`${n}\n`);
}
for (;;) {
  const { position, lag } = system.reaction(pack).status();
  process.stdout.write(`at ${position}\n`);
  if (lag === 0) break;
  await sleep(2);
}
await stayIfToBeKilled();
await system.settled();
await system.stop();
process.stdout.write('done\n');
