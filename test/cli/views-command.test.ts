/** `troupe views`: list and compare beside a running system, rebuild without one. */
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { viewsCommand } from '../../src/cli/views-command.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { account } from './fixtures/accounts.js';
import { ACCOUNTS, fillAccounts, folderOfSuite, runTool, startAccounts } from './tool-run.js';

const CHANGED = fileURLToPath(new URL('./fixtures/changed-balances.js', import.meta.url));
const views = (...args: string[]) => runTool(viewsCommand, args);

async function change(path: string, sql: string): Promise<void> {
  const connection = await SqliteConnection.open(`${path}.views`, { mode: 'write' });
  await connection.exec(sql);
  await connection.close();
}

describe('troupe views', function () {
  this.timeout(60_000);
  const folder = folderOfSuite();
  const bank = folder.path('bank.db');
  before(() => fillAccounts(bank));
  const copyOf = (name: string): string => {
    const path = folder.path(name);
    copyFileSync(bank, path);
    copyFileSync(`${bank}.views`, `${path}.views`);
    return path;
  };

  it('lists name, version, state, position, lag, rows and size, as a table and as JSON', async () => {
    const end = await views(bank);
    expect(end.code).to.equal(0);
    expect(end.lines[0]).to.match(/name +version +state +position +lag +rows +size/);
    expect(end.lines[1]).to.match(/balances +1 +live +4 +0 +3 +\d+ KB/);
    const [all] = (await views('list', bank, '--json')).json();
    const [one] = all as unknown as Record<string, unknown>[];
    expect(one).to.deep.include({
      name: 'balances',
      table: 'balances',
      version: 1,
      state: 'live',
      position: 4,
      lag: 0,
      rows: 3,
      fault: null,
    });
    expect(one?.['bytes']).to.be.greaterThan(0);
  });

  it('says what is behind, and nothing when there is no read model', async () => {
    const path = copyOf('behind.db');
    await change(path, 'UPDATE troupe_projections SET position = 1');
    expect((await views(path)).lines[1]).to.match(/balances +1 +live +1 +3 /);
    const empty = folder.path('empty.db');
    copyFileSync(bank, empty);
    expect(await views(empty)).to.include({ code: 0, stdout: '', stderr: 'there are no read models yet\n' });
  });

  it('compares equal with the same code, also beside a running system', async () => {
    const path = copyOf('equal.db');
    const system = await startAccounts(path);
    await system.ref(account, 'ada').ask('receive', { amount: 1 });
    await system.settled();
    const end = await views('compare', path, '--cast', ACCOUNTS);
    expect(end).to.include({ code: 0, stdout: 'balances: equal, 3 rows, 3 in a fresh fold up to position 5\n' });
    await system.stop();
  });

  it('finds rows that are wrong, missing and too many, and fails with 1', async () => {
    const path = copyOf('wrong.db');
    await change(
      path,
      "UPDATE balances SET balance = 71 WHERE account = 'ada'; DELETE FROM balances WHERE account = 'ben'; INSERT INTO balances VALUES ('dan', 1)",
    );
    const end = await views('compare', path, '--cast', ACCOUNTS, '--json');
    expect(end.code).to.equal(1);
    expect(end.json()[0]).to.deep.include({
      name: 'balances',
      differences: 3,
      examples: [
        { key: 'ada', table: { account: 'ada', balance: 71 }, fresh: { account: 'ada', balance: 70 } },
        { key: 'ben', table: null, fresh: { account: 'ben', balance: 30 } },
        { key: 'dan', table: { account: 'dan', balance: 1 }, fresh: null },
      ],
    });
    expect((await views('compare', path, '--cast', ACCOUNTS, '--show', '1')).stdout).to.match(
      /3 rows differ[^]*ada\n +table {"account":"ada","balance":71}\n +fresh {"account":"ada","balance":70}\n$/,
    );
  });

  it('compares old against new: which rows a changed definition will change', async () => {
    const end = await views('compare', bank, '--cast', CHANGED, '--json');
    expect(end.code).to.equal(1);
    const [found] = end.json();
    expect(found).to.deep.include({
      version: 1,
      definitionVersion: 2,
      differences: 1,
      columnsLeftOut: ['payments'],
      examples: [{ key: 'ada', table: { account: 'ada', balance: 70 }, fresh: { account: 'ada', balance: 67 } }],
    });
  });

  it('rebuilds what was wrong, and a version that has changed', async () => {
    const path = copyOf('rebuild.db');
    await change(path, 'UPDATE balances SET balance = 0');
    const end = await views('rebuild', path, '--cast', ACCOUNTS, '--json');
    expect(end.code).to.equal(0);
    expect(end.json()[0]).to.deep.include({ name: 'balances', rows: 3, position: 4 });
    expect((await views('compare', path, '--cast', ACCOUNTS)).code).to.equal(0);
    expect((await views('rebuild', path, '--cast', CHANGED)).stdout).to.match(
      /balances is rebuilt: 3 rows from 4 events/,
    );
    expect((await views(path)).lines[1]).to.match(/balances +2 +live +4/);
  });

  it('shows what has stopped a read model, until it goes on', async () => {
    const path = copyOf('stopped.db');
    const system = await startAccounts(path, undefined);
    await system.ref(account, 'ada').ask('receive', { amount: 2 ** 53 - 1 });
    await system.settled();
    await system.stop();
    const end = await views(path);
    expect(end.code).to.equal(1);
    expect(end.lines[1]).to.match(/balances +1 +stopped +4 +1 +3 .*position 5/);
    const compared = await views('compare', path, '--cast', ACCOUNTS);
    expect(compared.code).to.equal(0);
    const rebuilt = await views('rebuild', path, '--cast', ACCOUNTS);
    expect(rebuilt.code).to.equal(1);
    expect(rebuilt.stderr).to.match(/balances stopped at position 5/);
  });

  it('refuses to rebuild beside a running system, and says what to do', async () => {
    const path = copyOf('locked.db');
    const system = await startAccounts(path);
    const end = await views('rebuild', path, '--cast', ACCOUNTS);
    expect(end.code).to.equal(2);
    expect(end.stderr).to.match(/in use by a running system; stop that system first, or call .*rebuild\(\)/);
    await system.stop();
  });

  it('needs a journal that is there, a cast where code is needed, and names that exist', async () => {
    expect(await views('compare', bank)).to.include({ code: 2 });
    expect((await views('compare', bank)).stderr).to.match(/--cast/);
    expect((await views('rebuild', folder.path('none.db'), '--cast', ACCOUNTS)).code).to.equal(2);
    const end = await views('compare', bank, '--cast', ACCOUNTS, '--only', 'balance');
    expect(end.code).to.equal(2);
    expect(end.stderr).to.match(/no projection balance.*balances/);
    expect((await views('compare', bank, '--help')).stdout).to.match(/Exit code/);
  });
});
