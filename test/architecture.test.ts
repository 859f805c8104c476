/**
 * The architecture, as laws over the sources: who may import whom, and who owns threads, the database and the time.
 *
 * Reads the TypeScript files themselves, so that types count like code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

// From dist/test.
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A folder of src/ imports only folders of lower or equal rank. */
const RANKS: Readonly<Record<string, number>> = {
  core: 0,
  mailbox: 1,
  supervision: 1,
  journal: 1,
  actors: 2,
  streams: 2,
  timers: 2,
  reactions: 3,
  sagas: 3,
  projections: 3,
  threads: 4,
  system: 5,
  testkit: 6,
  scenario: 6,
  inspector: 6,
  cli: 7,
};

/** The one folder that may import a module. */
const OWNERS: Readonly<Record<string, string>> = {
  'node:worker_threads': 'threads',
  piscina: 'threads',
  sqlite3: 'journal',
  'node:http': 'inspector',
  'node:timers': 'core',
  'node:timers/promises': 'core',
};

/** What user code, as which `actors/` and `scenarios/` stand, may import from elsewhere. */
const PUBLIC = /^(troupe(\/[a-z]+)?|zod|rxjs|csv-parse(\/sync)?)$/;

/** The launcher behind `npm start` and `npm run scenario`: it is no scenario, it is the runner's way in. */
const LAUNCHER = 'scenarios/run.ts';

const CLOCK = 'src/core/clock.ts';
const TIME_AND_CHANCE = /\b(?:Date\.now|performance\.now|Math\.random|setTimeout|setInterval|new Date\(\))/;

interface Source {
  /** Path from the root, with `/`. */
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly string[];
}

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const path = posix.join(folder, file.replaceAll('\\', '/'));
      const code = withoutComments(readFileSync(join(ROOT, path), 'utf8'));
      return { path, code, imports: importsOf(code) };
    });
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** Modules that are imported or re-exported, statically or dynamically. */
function importsOf(code: string): string[] {
  const found = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g);
  return Array.from(found, ([, module = '']) => module);
}

/** The path from the root that a relative import leads to. */
function target(source: Source, module: string): string {
  return posix.join(posix.dirname(source.path), module);
}

/** `core` for `src/core/clock.ts`; undefined for a file of src/ itself. */
function layerOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

const isRelative = (module: string): boolean => module.startsWith('.');

describe('architecture', () => {
  const src = sourcesIn('src');
  const userCode = [...sourcesIn('actors'), ...sourcesIn('scenarios')];

  it('sees the sources: imports of every kind are found, those in comments are not', () => {
    const code = withoutComments(
      "import a from 'a';\nexport { b } from \"x\".length;\nexport * from 'c';\nimport 'd';\n" +
        "const e = await import('e');\nimport type { F } from 'f';\n// import g from 'g';\n/** import h from 'h'; */",
    );
    expect(importsOf(code)).to.deep.equal(['a', 'c', 'd', 'e', 'f']);
    expect(src.length).to.be.greaterThan(50);
    expect(src.filter(({ imports }) => imports.length > 0).length).to.be.greaterThan(50);
  });

  it('knows the rank of every folder of src/', () => {
    const folders = new Set(src.map(({ path }) => layerOf(path)).filter((layer) => layer !== undefined));
    for (const folder of folders) expect(Object.keys(RANKS), `give src/${folder} a rank`).to.include(folder);
  });

  it('imports only lower or equal ranks, and nobody the public face', () => {
    const wrong: string[] = [];
    for (const source of src) {
      const from = layerOf(source.path);
      if (from === undefined) continue;
      for (const module of source.imports.filter(isRelative)) {
        const path = target(source, module);
        const to = layerOf(path);
        const fits = to !== undefined && (RANKS[to] ?? Infinity) <= (RANKS[from] ?? -1);
        if (!fits) wrong.push(`${source.path} imports ${path}`);
      }
    }
    expect(wrong).to.deep.equal([]);
  });

  it('has no two folders of equal rank that import each other', () => {
    const edges = new Set<string>();
    for (const source of src) {
      const from = layerOf(source.path);
      for (const module of source.imports.filter(isRelative)) {
        const to = layerOf(target(source, module));
        if (from !== undefined && to !== undefined && from !== to) edges.add(`${from} ${to}`);
      }
    }
    expect([...edges].filter((edge) => edges.has(edge.split(' ').reverse().join(' ')))).to.deep.equal([]);
  });

  for (const [module, owner] of Object.entries(OWNERS)) {
    it(`imports ${module} only in ${owner}/`, () => {
      const users = src.filter(({ imports }) => imports.includes(module)).map(({ path }) => path);
      expect(users.filter((path) => layerOf(path) !== owner)).to.deep.equal([]);
    });
  }

  it(`asks for the time, sets timers and takes chances only in ${CLOCK}`, () => {
    const users = src.filter(({ code }) => TIME_AND_CHANCE.test(code)).map(({ path }) => path);
    expect(users).to.deep.equal([CLOCK]);
  });

  it('imports nothing of tests, scenarios or benches into src/', () => {
    const outside = src.flatMap((source) =>
      source.imports
        .filter(isRelative)
        .map((module) => target(source, module))
        .filter((path) => !path.startsWith('src/')),
    );
    expect(outside).to.deep.equal([]);
  });

  it('writes actors/ and scenarios/ on the public API alone', () => {
    const wrong: string[] = [];
    for (const source of userCode) {
      if (source.path === LAUNCHER) continue;
      for (const module of source.imports) {
        const fits = isRelative(module)
          ? /^(actors|scenarios)\//.test(target(source, module))
          : PUBLIC.test(module) || (isBuiltin(module) && module.startsWith('node:'));
        if (!fits) wrong.push(`${source.path} imports ${module}`);
      }
    }
    expect(wrong).to.deep.equal([]);
  });
});
