/**
 * The README keeps its word: fragments compile, programs run and print what it says, queries find what they say,
 * commands, links, codes and limits exist.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { LIMITS } from '../../src/core/limits.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import {
  compileSnippets,
  complaintsAbout,
  inFreshFolder,
  type KnownModule,
  readRepositoryFile,
  ROOT,
  run,
  specifierOf,
  type Unit,
} from './compile-snippets.js';
import { exportedNames } from './exported-names.js';
import { LIMIT_ROWS, LIMITS_NOT_SHOWN, withFreshBlocks } from './readme-blocks.js';
import { docExamples, fencedBlocks, type Snippet } from './snippets.js';
import { documentFaults } from './document-links.js';

const RETAIL = join(ROOT, 'dist/scenarios/run.js');
/** Words behind `npm` that are no scripts of ours. */
const NPM_ITSELF = new Set(['ci', 'install', 'pack', 'run']);
const TROUPE = join(ROOT, 'dist/src/cli/troupe.js');

describe('README', function () {
  this.timeout(120_000);
  let text: string;
  let blocks: Snippet[];
  before(async () => {
    text = await readRepositoryFile('README.md');
    blocks = fencedBlocks('README.md', text);
  });

  const programs = () => blocks.filter(({ language, name }) => language === 'js' && name !== undefined);

  it('has fragments and programs that compile, and fragments that run, each on top of those before it', async () => {
    const snippets = blocks.filter(({ language }) => language === 'ts' || language === 'js');
    const known = await publicModules();
    const units: Unit[] = [];
    for (const [index, snippet] of snippets.entries()) {
      // A program stands on its own.
      units.push({ snippet, known: snippet.name === undefined ? [...known] : [] });
      known.unshift({ specifier: specifierOf(index), names: exportedNames(snippet.code) });
    }
    expect(units).to.have.length.above(8);
    await compileSnippets(units, async (complaints, folder) => {
      expect(complaints).to.deep.equal([]);
      await runFragments(units, folder);
    });
  });

  it('has programs that print what it says, also when run again, and journals that hold what it says', async () => {
    expect(programs()).to.have.length.above(1);
    await inFreshFolder(async (folder) => {
      for (const { name = '', code, output } of programs()) {
        await writeFile(join(folder, name), `${code}\n`);
        const args = code.includes('defineScenario') ? [TROUPE, 'run', name] : [name];
        for (const time of ['first', 'second']) {
          const end = await run(process.execPath, args, folder);
          expect(end.code, `${name}, ${time} time: ${end.output}`).to.equal(0);
          if (output !== undefined) expect(end.stdout.trimEnd(), `${name}, ${time} time`).to.equal(output);
        }
      }
      for (const { name = '', code, output } of blocks.filter(({ language }) => language === 'sql')) {
        const rows = await query(join(folder, name), code);
        expect(rows).to.have.length.above(0);
        if (output !== undefined) expect(rows.join('\n')).to.equal(output);
      }
    });
  });

  it('shows lines of the trading day that are really there', async () => {
    const shown = blocks.find(({ language, code }) => language === 'text' && code.startsWith('What happened'));
    const lines = shown?.code.split('\n').filter((line) => line !== '…') ?? [];
    expect(lines).to.have.length.above(8);
    await inFreshFolder(async (folder) => {
      const { code, stdout } = await run(
        process.execPath,
        [RETAIL, 'retail', '--journal', join(folder, 'day.db')],
        ROOT,
      );
      expect(code).to.equal(0);
      const printed = stdout.split('\n');
      for (const line of lines)
        expect(
          printed.some((one) => one.startsWith(line)),
          line,
        ).to.equal(true);
    });
  });

  it('names scripts, scenarios and suites that exist', async () => {
    const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ code }) => code.split('\n'));
    const inline = [...text.matchAll(/`((?:npm|npx|node) [^`]+)`/g)].map(([, command = '']) => command);
    const manifest = JSON.parse(await readRepositoryFile('package.json')) as { scripts: Record<string, string> };
    for (const command of [...commands, ...inline]) {
      const script = /\bnpm (?:run )?(?:-s )?([\w:]+)/.exec(command)?.[1];
      if (script === undefined || NPM_ITSELF.has(script)) continue;
      expect(Object.keys(manifest.scripts), command).to.include(script);
      const named = / -- (\w[\w-]*)/.exec(command)?.[1];
      const folder = script === 'bench' ? 'bench/suites' : 'scenarios';
      if (named !== undefined && named !== 'NAME') expect(await namesIn(folder), command).to.include(named);
    }
    for (const [, path = ''] of text.matchAll(/`node (dist\/[^`]+)`/g))
      expect(existsSync(join(ROOT, path))).to.equal(true);
    const told = /## Concepts[^]*?\n## /.exec(text)?.[0] ?? '';
    const scenarios = new Set([...told.matchAll(/`([a-z-]+)(?= |`)/g)].map(([, name = '']) => name));
    expect(scenarios.size).to.be.above(1);
    expect(await namesIn('scenarios')).to.include.members([...scenarios]);
  });

  it('has tables that are as fresh as what they are made of', async () => {
    expect(text, 'run node dist/test/docs/update-readme.js').to.equal(await withFreshBlocks(text, ROOT));
  });

  it('shows every limit, or says that it is nobody’s business', () => {
    const shown = LIMIT_ROWS.flatMap(({ limits }) => limits);
    expect([...shown, ...LIMITS_NOT_SHOWN]).to.have.members(Object.keys(LIMITS));
  });

  it('explains every error code and every reason of a dead letter, and no others', async () => {
    const codes = unionOf(await readRepositoryFile('src/core/troupe-error.ts'), 'TroupeErrorCode');
    const section = /## Errors[^]*?\n## /.exec(text)?.[0] ?? '';
    const table = section.split('\n').filter((line) => line.startsWith('| `'));
    const explained = table.flatMap((line) => line.split('|')[1]?.match(/TROUPE_\w+/g) ?? []);
    expect(explained).to.have.members(codes);
    const reasons = unionOf(await readRepositoryFile('src/core/dead-letter.ts'), 'DeadLetterReason');
    const told = /Reasons: [^]*?\. A `retry`/.exec(text)?.[0].match(/`[a-z-]+`/g) ?? [];
    expect(told.map((one) => one.slice(1, -1)).filter((one) => one !== 'retry')).to.have.members(reasons);
  });

  it('links to what exists', async () => {
    expect(await documentFaults('README.md')).to.deep.equal([]);
  });
});

describe('examples of docstrings', function () {
  this.timeout(120_000);

  it('compile as they stand', async () => {
    const files = (await readdir(join(ROOT, 'src'), { recursive: true }))
      .map((file) => `src/${file.replaceAll('\\', '/')}`)
      .filter((file) => file.endsWith('.ts'));
    const known = await publicModules();
    const world = {
      specifier: '../../dist/test/docs/example-world.js',
      names: exportedNames(
        (await readRepositoryFile('test/docs/example-world.ts')).replaceAll('export declare ', 'export '),
      ),
    };
    const zod = { specifier: 'zod', names: { values: new Set(['z']), types: new Set<string>() } };
    const units: Unit[] = [];
    for (const file of files) {
      const source = await readRepositoryFile(file);
      const own = { specifier: `../../dist/${file.replace(/\.ts$/, '.js')}`, names: exportedNames(source) };
      for (const snippet of docExamples(file, source)) {
        units.push({ snippet, known: [...known, zod, own, world] });
      }
    }
    expect(units).to.have.length.above(15);
    const complaints = await complaintsAbout(units);
    expect(complaints, 'names that an example takes for granted stand in test/docs/example-world.ts').to.deep.equal([]);
  });
});

/** What users can import from. */
async function publicModules(): Promise<KnownModule[]> {
  const manifest = JSON.parse(await readRepositoryFile('package.json')) as {
    readonly exports: Readonly<Record<string, { readonly types?: string }>>;
  };
  const modules: KnownModule[] = [];
  for (const [path, { types }] of Object.entries(manifest.exports)) {
    if (types === undefined) continue;
    const source = types.replace('./dist/', '').replace('.d.ts', '.ts');
    modules.push({ specifier: path.replace('.', 'troupe'), names: exportedNames(await readRepositoryFile(source)) });
  }
  return modules;
}

/** Runs all fragments in their order, as one program; the definitions among them are the cast of its system. */
async function runFragments(units: readonly Unit[], folder: string): Promise<void> {
  const fragments = units.flatMap(({ snippet }, index) => (snippet.name === undefined ? [{ snippet, index }] : []));
  const definitions = fragments.filter(({ snippet }) =>
    /^export const \w+ = (?:actor|aggregate|reaction|saga|projection)\(/m.test(snippet.code),
  );
  await mkdir(join(folder, 'actors'));
  const cast = definitions.map(({ index }) => `export * from '.${specifierOf(index)}';`);
  await writeFile(join(folder, 'actors/index.js'), cast.join('\n'));
  const starting = fragments.find(({ snippet }) => snippet.code.includes('export const system'));
  const steps = fragments.map(({ index }) => `await import('${specifierOf(index)}');`);
  steps.push(`const { system } = await import('${specifierOf(starting?.index ?? 0)}');`);
  steps.push("await system.settled(); await system.stop(); console.log('to the end');");
  await writeFile(join(folder, 'fragments.js'), steps.join('\n'));
  const { code, output } = await run(process.execPath, ['fragments.js'], folder);
  expect(code, output).to.equal(0);
  expect(output).to.contain('to the end');
}

/** Rows as the `sqlite3` shell prints them. */
async function query(journal: string, sql: string): Promise<string[]> {
  const connection = await SqliteConnection.open(journal, { mode: 'read' });
  try {
    const rows = await connection.all<Readonly<Record<string, string | number | null>>>(sql);
    return rows.map((row) => Object.values(row).join('|'));
  } finally {
    await connection.close();
  }
}

/** The members of a union of texts, in the source where it is declared. */
function unionOf(source: string, name: string): string[] {
  const declared = new RegExp(`export type ${name} =([^;]+);`).exec(source)?.[1] ?? '';
  return [...declared.matchAll(/'([^']+)'/g)].map(([, member = '']) => member);
}

/** What can be run by name in a folder: `NAME.ts`, or `NAME/NAME.ts`. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  return entries.flatMap((entry) => {
    const [, inner, name] = /^(?:([\w-]+)[/\\])?([\w-]+)\.ts$/.exec(entry) ?? [];
    return name !== undefined && (inner === undefined || inner === name) ? [name] : [];
  });
}
