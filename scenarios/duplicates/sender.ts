/**
 * The process that is killed: sends what arrives to two cash books, one with the payment's id as command id, one without;
 * writes a line for each that is acknowledged.
 *
 * Arguments: journal, orders, seed, workers, name of the run.
 */
import { ActorSystem } from 'troupe';
import { stayIfToBeKilled } from '../killed-process/stay.js';
import { cashBook } from './cast.js';
import { arrivals } from './source.js';

/** Payments under way at a time. */
const AT_ONCE = 8;

const [journal = '', orders = '', seed = '', workers = '', run = ''] = process.argv.slice(2);
const system = await ActorSystem.start({
  cast: new URL('./cast.js', import.meta.url),
  journal,
  workers: workers === 'auto' ? 'auto' : Number(workers),
});
const all = await arrivals(Number(orders), Number(seed));
for (let from = 0; from < all.length; from += AT_ONCE) {
  await Promise.all(
    all.slice(from, from + AT_ONCE).map(async ({ id, country, mills }) => {
      await system.ref(cashBook, `${country}-${run}`).ask('book', { mills }, { id: `payment-${id}` });
      await system.ref(cashBook, `credulous-${country}-${run}`).ask('book', { mills });
      process.stdout.write(`${id}\n`);
    }),
  );
}
await stayIfToBeKilled();
await system.stop();
process.stdout.write('done\n');
