/** Online backup: consistent while writes go on, complete or not there, never in the way of anything. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ActorSystem } from 'troupe';
import { backupCommand } from '../../src/cli/backup-command.js';
import { verifyCommand } from '../../src/cli/verify-command.js';
import { codeOf } from '../journal/journal-harness.js';
import { runTool } from '../cli/tool-run.js';
import { account, balances, mirror } from './fixtures/bank.js';

const BANK = new URL('./fixtures/bank.js', import.meta.url);
const TELLER = fileURLToPath(new URL('./fixtures/teller.js', import.meta.url));

describe('backup', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-backup-'));
  const at = (name: string): string => join(folder, name);
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const workers of [0, 1]) {
    it(`with ${workers} workers copies one moment of a journal that is being written; the copy opens, verifies, and goes on`, async () => {
      const journal = at(`bank-${workers}.db`);
      const system = await ActorSystem.start({ cast: BANK, workers, journal });
      let isBusy = true;
      let asked = 0;
      const write = async (): Promise<void> => {
        while (isBusy) {
          asked += 1;
          await system.ref(account, `a${asked % 25}`).ask('deposit', { amount: 1 });
        }
      };
      const writing = Promise.all(Array.from({ length: 50 }, write));
      const positions: number[] = [];
      for (let n = 0; n < 5; n += 1) {
        const target = at(`copy-${workers}-${n}.db`);
        const before = system.metrics().position;
        const { path, position, bytes } = await system.backup(target);
        expect(path).to.equal(target);
        expect(position).to.be.within(before, system.metrics().position);
        expect(bytes).to.be.greaterThan(4_096);
        positions.push(position);
      }
      isBusy = false;
      await writing;
      await system.stop();
      expect(positions.at(-1)).to.be.greaterThan(positions[0] ?? 0);
      for (const [n, position] of positions.entries()) {
        const end = await runTool(verifyCommand, [
          at(`copy-${workers}-${n}.db`),
          '--cast',
          fileURLToPath(BANK),
          '--json',
        ]);
        expect(JSON.parse(end.stdout)).to.include({ ok: true, events: position });
      }
      const copy = await ActorSystem.start({ cast: BANK, workers: 0, journal: at(`copy-${workers}-4.db`) });
      await copy.settled();
      const { balance } = await copy.state(account, 'a1');
      expect(await copy.state(mirror, 'a1')).to.include({ total: balance });
      expect(await copy.view(balances).get('a1')).to.include({ balance });
      await copy.stop();
      expect(readdirSync(folder).filter((name) => name.includes('partial'))).to.deep.equal([]);
    });
  }

  it('overwrites nothing, leaves nothing behind when it fails, and refuses what has no file', async () => {
    const journal = at('small.db');
    const system = await ActorSystem.start({ cast: BANK, workers: 0, journal });
    await system.ref(account, 'a').ask('deposit', { amount: 1 });
    writeFileSync(at('there.txt'), 'mine');
    expect(await codeOf(system.backup(at('there.txt')))).to.equal('TROUPE_INVALID_OPTIONS');
    expect(await codeOf(system.backup(journal))).to.equal('TROUPE_INVALID_OPTIONS');
    expect(await codeOf(system.backup(folder))).to.equal('TROUPE_INVALID_OPTIONS');
    expect(await codeOf(system.backup(at('no-folder/copy.db')))).to.equal('TROUPE_INVALID_OPTIONS');
    expect(await codeOf(system.backup(''))).to.equal('TROUPE_INVALID_OPTIONS');
    await system.backup(at('good.db'));
    await system.stop();
    expect(await codeOf(system.backup(at('late.db')))).to.equal('TROUPE_SYSTEM_STOPPED');
    expect(existsSync(at('late.db'))).to.equal(false);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).to.deep.equal([]);
    const inMemory = await ActorSystem.start({ cast: BANK, workers: 0, journal: ':memory:' });
    expect(await codeOf(inMemory.backup(at('memory.db')))).to.equal('TROUPE_INVALID_OPTIONS');
    await inMemory.stop();
  });

  it('by command copies beside another process, and whatever kills it, a file of that name is whole', async () => {
    const journal = at('teller.db');
    const teller = spawn(process.execPath, [TELLER, journal, 'r1'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => teller.stdout.once('data', resolve));
    teller.stdout.resume();
    const program = fileURLToPath(new URL('../../src/cli/troupe.js', import.meta.url));
    for (let round = 0; round < 8; round += 1) {
      const target = at(`killed-${round}.db`);
      const child = spawn(process.execPath, [program, 'backup', journal, target], { stdio: 'ignore' });
      const ended = new Promise((resolve) => child.once('close', resolve));
      setTimeout(() => child.kill('SIGKILL'), 150 + round * 60);
      await ended;
      if (!existsSync(target)) continue;
      expect(await runTool(verifyCommand, [target])).to.include({ code: 0 });
    }
    const end = await runTool(backupCommand, [journal, at('whole.db'), '--json']);
    expect(JSON.parse(end.stdout)).to.deep.include({ ok: true, faults: [] });
    expect(await runTool(backupCommand, [journal, at('whole.db')])).to.include({ code: 2, stdout: '' });
    const gone = new Promise((resolve) => teller.once('close', resolve));
    teller.kill('SIGKILL');
    await gone;
    expect(await runTool(verifyCommand, [at('whole.db')])).to.include({ code: 0 });
    expect(await runTool(verifyCommand, [journal, '--cast', fileURLToPath(BANK)])).to.include({ code: 0 });
  });
});
