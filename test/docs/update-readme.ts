/** `node dist/test/docs/update-readme.js`: writes the made parts of the README anew. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRepositoryFile, ROOT } from './compile-snippets.js';
import { withFreshBlocks } from './readme-blocks.js';

const before = await readRepositoryFile('README.md');
const after = await withFreshBlocks(before, ROOT);
if (after !== before) await writeFile(join(ROOT, 'README.md'), after);
console.log(after === before ? 'README.md is as it should be' : 'README.md has new tables');
