/**
 * `npm run scenario -- NAME`: runs the scenarios of this folder. A new scenario is a new file here, `NAME.ts` or
 * `NAME/NAME.ts`, that exports a definition called NAME.
 */
import { runAsProcess } from '../src/cli/process-host.js';
import { runFromFolder } from '../src/cli/scenario-folder.js';

const folder = { url: new URL('./', import.meta.url), command: 'npm run scenario --' };

void runAsProcess((host) => runFromFolder(folder, process.argv.slice(2), host));
