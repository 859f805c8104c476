/** The counter on comlink's worker. */
import { parentPort } from 'node:worker_threads';
import * as comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

let count = 0;
comlink.expose({ next: (amount) => (count += amount) }, nodeEndpoint(parentPort));
