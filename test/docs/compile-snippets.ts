/**
 * Compiles snippets as a user of the package would: by name (`from 'troupe'`), against the built types, strictly.
 *
 * Each snippet becomes a module of its own in a fresh folder inside the package. A fragment need not repeat what is
 * plain from its place: names that it uses but doesn't declare are imported from where they are known.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExportedNames } from './exported-names.js';
import type { Snippet } from './snippets.js';

/** Root of the repository, seen from `dist/test/docs/`. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A module that fragments may take names from. */
export interface KnownModule {
  readonly specifier: string;
  readonly names: ExportedNames;
}

/** A snippet, and where its free names come from; earlier modules go before later ones. */
export interface Unit {
  readonly snippet: Snippet;
  readonly known: readonly KnownModule[];
}

/**
 * Compiles snippets into a folder inside the package, hands that to `work`, and removes it.
 *
 * What the compiler has against a snippet comes by the line of its document: `README.md:12: TS2345: …`.
 */
export async function compileSnippets<Result>(
  units: readonly Unit[],
  work: (complaints: readonly string[], folder: string) => Promise<Result>,
): Promise<Result> {
  return inFreshFolder(async (folder) => {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    await Promise.all(units.map((unit, index) => writeFile(join(folder, moduleName(index)), moduleText(unit))));
    const { code, output } = await run(process.execPath, [COMPILER, '--project', folder, '--pretty', 'false'], folder);
    const complaints = output.split('\n').flatMap((line) => complaint(line, units));
    // Whatever the compiler says beside that (an unusable setting, say) has to be seen too.
    return work(code === 0 || complaints.length > 0 ? complaints : [output], folder);
  });
}

/** What the compiler has against snippets. */
export function complaintsAbout(units: readonly Unit[]): Promise<readonly string[]> {
  return compileSnippets(units, async (complaints) => complaints);
}

/** Name of a snippet's module, so that later ones can take names from it. */
export function specifierOf(index: number): string {
  return `./${moduleName(index).replace(/\.ts$/, '.js')}`;
}

/** A folder inside the package, where its own name resolves; gone afterwards. */
export async function inFreshFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  await mkdir(join(ROOT, '.troupe'), { recursive: true });
  const folder = await mkdtemp(join(ROOT, '.troupe', 'snippets-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs a program to its end; `output` is what it wrote to both of its streams. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly output: string }> {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...env } = process.env;
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, output }));
  });
}

const COMPILER = (() => {
  const require = createRequire(import.meta.url);
  return join(require.resolve('typescript/package.json'), '../bin/tsc');
})();

/** As strict as a careful user's project; what examples leave unused is their business. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
  },
  include: ['*.ts'],
};

function moduleName(index: number): string {
  return `snippet-${index}.ts`;
}

/** One line in front of the code, so that lines are easily counted back. */
function moduleText({ snippet, known }: Unit): string {
  const free = new Set(snippet.code.match(/\b[A-Za-z_$][\w$]*\b/g));
  const declared = snippet.code.matchAll(
    /\b(?:const|let|function|class|interface|type) (\w+)|import [^;]*?\{([^}]*)\}/g,
  );
  for (const [, one, several] of declared) {
    for (const name of [one, ...(several?.split(/[\s,]+/) ?? [])]) if (name !== undefined) free.delete(name);
  }
  let imports = '';
  for (const { specifier, names } of known) {
    const taken = [...free].filter((name) => names.values.has(name) || names.types.has(name));
    for (const name of taken) free.delete(name);
    const list = taken.map((name) => (names.values.has(name) ? name : `type ${name}`));
    if (list.length > 0) imports += `import { ${list.join(', ')} } from '${specifier}'; `;
  }
  return `${imports}\n${snippet.code}\nexport {};\n`;
}

function complaint(line: string, units: readonly Unit[]): string[] {
  const found = /snippet-(\d+)\.ts\((\d+),\d+\): error (.*)$/.exec(line);
  const unit = units[Number(found?.[1])];
  if (found === null || unit === undefined) return [];
  const { snippet } = unit;
  return [`${snippet.file}:${snippet.line + Number(found[2]) - 2}: ${found[3]}`];
}

/** The text of a file of the repository. */
export function readRepositoryFile(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}
