/** The stories of plain actors hold with and without worker threads. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram, TROUPE } from './run-program.js';

interface Story {
  readonly name: string;
  readonly args: readonly string[];
  readonly checks: number;
}

const STORIES: readonly Story[] = [
  { name: 'supervision', args: [], checks: 15 },
  { name: 'backpressure', args: [], checks: 17 },
  { name: 'iot-fleet', args: ['--devices', '2000'], checks: 5 },
];

describe('stories of plain actors', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stories-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const play = (name: string, ...args: string[]) => {
    const file = fileURLToPath(new URL(`../../scenarios/${name}/${name}.js`, import.meta.url));
    return runProgram(TROUPE, ['run', file, '--json', ...args], { cwd: folder });
  };

  for (const { name, args, checks } of STORIES) {
    for (const workers of ['0', '2']) {
      it(`${name} holds its ${checks} checks, workers: ${workers}`, async () => {
        const { code, stdout, stderr } = await play(name, ...args, '--workers', workers);
        expect(code, `${stderr}${stdout}`).to.equal(0);
        const result = JSON.parse(stdout) as { readonly ok: boolean; readonly checks: readonly unknown[] };
        expect(result.ok).to.equal(true);
        expect(result.checks).to.have.length(checks);
      });
    }
  }

  it('iot-fleet refuses a number of devices that is no multiple of 1,000', async () => {
    const { code, stdout, stderr } = await play('iot-fleet', '--devices', '1500');
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    expect(stderr).to.contain('multiple of 1,000');
  });
});
