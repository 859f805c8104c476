/** Links and file names in a document that lead nowhere. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readRepositoryFile, ROOT } from './compile-snippets.js';

/** Each dead link, and each path in backticks that is in no folder where a reader would look for it. */
export async function documentFaults(file: string): Promise<string[]> {
  const text = await readRepositoryFile(file);
  const prose = text.replaceAll(/^```[^]*?^```$/gm, '');
  const faults: string[] = [];
  for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const found = path === '' ? file : join(dirname(file), path);
    if (!existsSync(join(ROOT, found))) faults.push(`${file}: there is no ${path}`);
    else if (anchor !== undefined && !anchorsOf(await readRepositoryFile(found)).has(anchor))
      faults.push(`${file}: ${found} has no heading #${anchor}`);
  }
  const sources = sourceFiles();
  for (const [, path = ''] of prose.matchAll(/`((?:[\w-]+\/)*[\w.-]+\.(?:ts|cjs))`/g)) {
    // NAME stands for whatever somebody calls it. The rest is written as short as it is plain which file is meant.
    const found = path.includes('NAME') || sources.some((source) => source === path || source.endsWith(`/${path}`));
    if (!found) faults.push(`${file}: there is no file ${path}`);
  }
  return faults;
}

/** Paths of all sources from the root, with `/`. */
function sourceFiles(): string[] {
  const folders = ['src', 'test', 'actors', 'scenarios', 'bench'];
  const below = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file.replaceAll('\\', '/')}`,
    ),
  );
  return [...below, ...readdirSync(ROOT)];
}

/** Anchors of the headings, as hosts of repositories make them. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
