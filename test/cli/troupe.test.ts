/**
 * The `troupe` program and `npm run scenario`: what they say to wrong words, wrong files, and for help.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runFromFolder } from '../../src/cli/scenario-folder.js';
import { fakeHost } from '../scenario/fake-host.js';
import { runProgram, STORIES, TROUPE } from '../scenario/run-program.js';

const NO_SCENARIO = fileURLToPath(new URL('./fixtures/no-scenario.js', import.meta.url));
const BROKEN = fileURLToPath(new URL('./fixtures/folder/broken.js', import.meta.url));
const ALPHA = fileURLToPath(new URL('./fixtures/folder/alpha.js', import.meta.url));
const DEFINE = new URL('../../src/scenario/define-scenario.js', import.meta.url).href;

const troupe = (args: readonly string[], cwd?: string) => runProgram(TROUPE, args, cwd === undefined ? {} : { cwd });

describe('troupe', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'));
    const part = "{ title: 'T', goal: 'G', method: 'M', expected: 'E', run: (ctx) => void ctx.checkThat('c', true) }";
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'story.ts'), 'export {};');
    writeFileSync(join(folder, 'notes.txt'), 'hello');
    writeFileSync(join(folder, 'syntax.js'), 'export const = 5;');
    writeFileSync(join(folder, 'needs.js'), "import 'a-package-that-is-not-there';");
    writeFileSync(
      join(folder, 'twice.js'),
      `import { defineScenario } from '${DEFINE}'; export const a = defineScenario({ name: 'a', ...${part} }); export const b = defineScenario({ name: 'a', ...${part} });`,
    );
    writeFileSync(
      join(folder, 'both.js'),
      `import { defineScenario } from '${DEFINE}'; export const a = defineScenario({ name: 'a', ...${part} }); export default a;`,
    );
    writeFileSync(
      join(folder, 'old.cjs'),
      `module.exports = { [Math.random() + 'a']: Object.freeze({ name: 'a', options: {}, [Symbol.for('troupe.scenario')]: true, ...${part} }) };`,
    );
    writeFileSync(join(folder, 'endless.js'), 'await new Promise(() => {});');
    mkdirSync(join(folder, 'sub'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const REFUSED: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /^troupe: give a command: run, log.*; see troupe --help\n$/],
    [['rnu'], /^troupe: unknown command rnu; did you mean 'run'\?\n$/],
    [['dance'], /^troupe: unknown command dance; see troupe --help\n$/],
    [['--versoin'], /^troupe: unknown option --versoin; did you mean '--version'\?\n$/],
    [['run'], /^troupe: run needs a file: troupe run my-scenario\.js; see troupe run --help\n$/],
    [['run', '--json'], /^troupe: run needs a file/],
    [['run', 'nothing.js'], /^troupe: there is no file nothing\.js; give the path of a JavaScript file\n$/],
    [['run', 'sub'], /^troupe: sub is a folder; give the JavaScript file in it\n$/],
    [['run', 'story.ts'], /^troupe: story\.ts is TypeScript; compile it first \(npx tsc\) and give the \.js file\n$/],
    [['run', 'notes.txt'], /^troupe: notes\.txt is no JavaScript file \(\.js, \.mjs or \.cjs\)\n$/],
    [['run', 'syntax.js'], /^troupe: cannot load .*syntax\.js: SyntaxError: .*\n$/],
    [
      ['run', 'needs.js'],
      /^troupe: cannot load .*'a-package-that-is-not-there'.*; install it: npm install a-package-that-is-not-there\n$/,
    ],
    [['run', 'twice.js'], /^troupe: twice\.js exports two scenarios called a; rename one\n$/],
    [
      ['run', BROKEN],
      /^troupe: cannot load .*broken\.js: TypeError: this module does not want to be loaded \(at .*broken\.[jt]s:\d+:\d+\)\n$/,
    ],
    [
      ['run', NO_SCENARIO],
      /^troupe: .*no-scenario\.js exports no scenario; write: export const story = defineScenario\({ \.\.\. }\)\n$/,
    ],
    [['run', STORIES], /^troupe: .*stories\.js has several scenarios; add the name of one: .*holds, /],
    [['run', STORIES, '--json'], /^troupe: .*has several scenarios/],
    [['run', STORIES, 'hold'], /^troupe: .*stories\.js has no scenario hold; did you mean 'holds'\?\n$/],
    [['run', ALPHA, 'beta'], /has no scenario beta; it has alpha\n$/],
    [['run', ALPHA, '--wrokers', '2'], /^alpha: unknown option --wrokers; did you mean '--workers'\?\n$/],
  ];
  for (const [args, message] of REFUSED) {
    it(`refuses \`troupe ${args.map((arg) => arg.replace(/.*\//, '')).join(' ')}\` with 2 and one line`, async () => {
      const end = await troupe(args, folder);
      expect(end.stderr).to.match(message);
      expect(end.stderr.split('\n')).to.have.length(2);
      expect(end.stdout).to.equal('');
      expect(end.code).to.equal(2);
    });
  }

  const ANSWERS: readonly (readonly [readonly string[], RegExp])[] = [
    [['--help'], /^Troupe: [^]*troupe COMMAND \[options\][^]*run FILE/],
    [['help'], /^Troupe: /],
    [['--version'], /^\d+\.\d+\.\d+\S*\n$/],
    [['run', '--help'], /troupe run FILE NAME \[options\][^]*--workers N\|auto[^]*defineScenario/],
    [['run', STORIES, '--help'], /where NAME is one of\n[^]*holds +All is well\. To hold\./],
    [
      ['run', STORIES, 'holds', '--help'],
      /stories\.js holds \[options\][^]*--input FILE[^]*--fail-at N[^]*\(default: 7\)/,
    ],
    [['run', ALPHA], /✓ 1 check holds/],
    [['run', ALPHA, 'alpha'], /✓ 1 check holds/],
    [['run', '--workers', '0', ALPHA, '--json'], /^{"scenario":"alpha","ok":true/],
    [['run', 'both.js'], /✓ 1 check holds/],
    [['run', 'old.cjs'], /✓ 1 check holds/],
  ];
  for (const [args, output] of ANSWERS) {
    it(`answers \`troupe ${args.map((arg) => arg.replace(/.*\//, '')).join(' ')}\` with 0`, async () => {
      const end = await troupe(args, folder);
      expect(end.stdout).to.match(output);
      expect(end.code).to.equal(0);
    });
  }

  it('fails when a file never finishes loading', async () => {
    const end = await troupe(['run', 'endless.js'], folder);
    expect(end.code).to.equal(1);
    expect(end.stderr).to.match(/^ended too early: waits for something that can never come/);
  });

  it('works by its link in node_modules/.bin', async function () {
    if (process.platform === 'win32') this.skip();
    chmodSync(TROUPE, 0o755);
    symlinkSync(TROUPE, join(folder, 'troupe'));
    expect((await runProgram(join(folder, 'troupe'), ['--version'])).stdout).to.match(/^\d/);
  });
});

describe('scenario folder', () => {
  const folder = { url: new URL('./fixtures/folder/', import.meta.url), command: 'npm run scenario --' };
  const run = async (...args: string[]) => {
    const host = fakeHost();
    const code = await runFromFolder(folder, args, host);
    return { code, stdout: host.stdout.text, stderr: host.stderr.text };
  };

  it('finds a scenario in a file, and in a folder, by its name', async () => {
    for (const name of ['alpha', 'beta']) {
      const { code, stdout } = await run(name, '--json', '--journal', ':memory:');
      expect(code).to.equal(0);
      expect(stdout).to.include(`"scenario":"${name}"`);
    }
  });

  it('takes the name behind common options too', async () => {
    expect((await run('--journal', ':memory:', '--json', 'alpha')).code).to.equal(0);
  });

  it('lists name, title and goal, aligned, and says which module does not load', async () => {
    const { code, stdout, stderr } = await run('--list');
    expect(stdout).to.equal(
      '  alpha  The first. Show that a file is found.\n  beta   The second. Show that a folder is found.\n',
    );
    expect(stderr).to.match(/^cannot load .*broken\.js: TypeError: this module does not want to be loaded/);
    expect(code).to.equal(1);
  });

  it('suggests the nearest scenario and option', async () => {
    expect(await run('alhpa')).to.deep.equal({
      code: 2,
      stdout: '',
      stderr: "scenario: there is no scenario alhpa; did you mean 'alpha'?\n",
    });
    expect((await run('zzz')).stderr).to.equal('scenario: there is no scenario zzz; see npm run scenario -- --list\n');
    expect((await run('--lst')).stderr).to.equal("scenario: unknown option --lst; did you mean '--list'?\n");
    expect((await run('alpha', '--seed', 'x')).code).to.equal(2);
    expect((await run('broken')).code).to.equal(2);
  });

  it('asks for a name when there is none', async () => {
    const { code, stderr } = await run();
    expect(code).to.equal(2);
    expect(stderr).to.equal(
      'scenario: which scenario? npm run scenario -- NAME, where NAME is one of: alpha, beta, broken\n',
    );
  });

  it('helps: with itself, and with one scenario', async () => {
    const all = await run('--help');
    expect(all.code).to.equal(0);
    expect(all.stdout).to.include('npm run scenario -- --list').and.include('alpha');
    expect((await run('alpha', '--help')).stdout).to.include('npm run scenario -- alpha [options]');
  });
});
