/**
 * `npm run bench`: runs the suites of bench/suites/. A new suite is a new file there; see harness/suite.ts.
 */
import { runAsProcess } from '../src/cli/process-host.js';
import { benchCommand } from './harness/bench-command.js';

const folder = { url: new URL('./suites/', import.meta.url), scratch: '.troupe' };

void runAsProcess((host) => benchCommand(folder, process.argv.slice(2), host));
