/** `troupe dead-letters`: list and show beside a running system, retry and discard without one. */
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { deadLettersCommand } from '../../src/cli/dead-letters-command.js';
import { account } from './fixtures/accounts.js';
import { ACCOUNTS, folderOfSuite, runTool, startAccounts } from './tool-run.js';

const MENDED = fileURLToPath(new URL('./fixtures/mended-accounts.js', import.meta.url));
const letters = (...args: string[]) => runTool(deadLettersCommand, args);

describe('troupe dead-letters', function () {
  this.timeout(60_000);
  const folder = folderOfSuite();
  const bank = folder.path('bank.db');
  before(async () => {
    const system = await startAccounts(bank);
    const ada = system.ref(account, 'ada');
    // Position 1 can't be handled and holds position 2, which waits in the journal; position 3 becomes a rejected letter.
    await ada.ask('pay', { amount: 1, to: 'nobody' });
    await ada.ask('pay', { amount: 2, to: 'ben' });
    await system.ref(account, 'eve').ask('pay', { amount: 3, to: 'closed' });
    await system.settled();
    await system.stop();
  });
  const copyOf = (name: string): string => {
    copyFileSync(bank, folder.path(name));
    return folder.path(name);
  };

  it('lists what there is, as a table and as JSON, all or of one reason', async () => {
    const end = await letters(bank);
    expect(end.lines).to.have.length(3);
    expect(end.stdout).to.match(/parked +deliver\/account\/ada +paid +parked>deliver>1 +.*nobody is no account/);
    expect(end.stdout).to.match(/rejected +account\/closed +receive/);
    const [all] = (await letters('list', bank, '--json')).json() as unknown as { reason: string }[][];
    expect(all?.map(({ reason }) => reason)).to.have.members(['parked', 'rejected']);
    expect((await letters(bank, 'list', '--reason', 'rejected')).lines).to.have.length(2);
  });

  it('shows one by its id, or by the beginning of it', async () => {
    const end = await letters('show', bank, 'parked>');
    expect(end.code).to.equal(0);
    expect(end.stdout).to.match(
      /id +parked>deliver>1\n[^]*position +1\n[^]*error .*nobody is no account[^]*"to": "nobody"/,
    );
    const [json] = (await letters('show', bank, 'parked>deliver>1', '--json')).json();
    expect(json).to.include({ id: 'parked>deliver>1', type: 'paid', position: 1, payloadKept: true });
    expect(json).to.deep.include({ payload: { amount: 1, to: 'nobody' } });
  });

  it('retries a parked event with mended code, and what waited behind it goes on', async () => {
    const path = copyOf('retry.db');
    const end = await letters('retry', path, 'parked>deliver>1', '--cast', MENDED);
    expect(end).to.include({ code: 0, stdout: 'parked>deliver>1 is done\n' });
    const system = await startAccounts(path);
    await system.settled();
    expect(await system.state(account, 'nobody')).to.include({ balance: 1 });
    expect(await system.state(account, 'ben')).to.include({ balance: 2 });
    await system.stop();
    expect((await letters(path)).stdout).not.to.include('parked');
  });

  it('fails with 1 when a retry fails again, and keeps the letter', async () => {
    const path = copyOf('again.db');
    const end = await letters('retry', path, 'parked>deliver>1', '--cast', ACCOUNTS);
    expect(end.code).to.equal(1);
    expect(end.stderr).to.match(/parked>deliver>1 failed again \(parked\): .*nobody is no account/);
    expect((await letters(path)).stdout).to.include('parked>deliver>1');
  });

  it('discards without any code; the key of a parked event goes on at the next start', async () => {
    const path = copyOf('discard.db');
    expect(await letters('discard', path, 'parked>deliver>1', '--json')).to.include({
      code: 0,
      stdout: '{"id":"parked>deliver>1","ok":true}\n',
    });
    const system = await startAccounts(path);
    await system.settled();
    expect(await system.state(account, 'nobody')).to.include({ balance: 0 });
    expect(await system.state(account, 'ben')).to.include({ balance: 2 });
    await system.stop();
  });

  it('lists while a system runs, and refuses to retry or discard then, saying what to do', async () => {
    const path = copyOf('running.db');
    const system = await startAccounts(path);
    expect((await letters(path)).code).to.equal(0);
    for (const action of ['retry', 'discard']) {
      const end = await letters(action, path, 'parked>deliver>1', '--cast', ACCOUNTS);
      expect(end).to.include({ code: 2, stdout: '' });
      expect(end.stderr).to.include(`in use by a running system; stop that system first`);
      expect(end.stderr).to.include(`system.deadLetters.${action}('parked>deliver>1')`);
    }
    await system.stop();
  });

  it('says so when there is no such letter, no letter at all, or not enough to go by', async () => {
    expect(await letters('show', bank, 'x')).to.include({ code: 1, stdout: '' });
    expect(await letters('retry', bank, 'parked>deliver>1')).to.include({ code: 2 });
    const unknown = await letters(bank, 'rety', 'x');
    expect(unknown).to.include({ code: 2, stdout: '' });
    expect(unknown.stderr).to.include("dead-letters cannot rety; did you mean 'retry'?");
    expect((await letters('show', bank)).stderr).to.include(
      'dead-letters show needs ID: troupe dead-letters show JOURNAL ID',
    );
    const path = folder.path('none.db');
    await (await startAccounts(path)).stop();
    expect(await letters(path)).to.include({ code: 0, stdout: '', stderr: 'there are no dead letters\n' });
    expect(await letters(path, '--json')).to.include({ code: 0, stdout: '[]\n' });
  });
});
