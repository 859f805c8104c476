/** `troupe verify`: a sound journal passes; every kind of damage, and every event that today's code can't read, is named. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { verifyCommand } from '../../src/cli/verify-command.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { account } from './fixtures/accounts.js';
import { ACCOUNTS, fillAccounts, folderOfSuite, runTool, startAccounts, type ToolEnd } from './tool-run.js';

const verify = (...args: string[]) => runTool(verifyCommand, args);
const CHANGED = fileURLToPath(new URL('./fixtures/changed-accounts.js', import.meta.url));

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly faults: readonly Record<string, unknown>[];
}

function checksOf(end: ToolEnd): Check[] {
  return (JSON.parse(end.stdout) as { readonly checks: Check[] }).checks;
}

function failedChecks(end: ToolEnd): Check[] {
  return checksOf(end).filter(({ ok }) => !ok);
}

describe('troupe verify', function () {
  this.timeout(60_000);
  const folder = folderOfSuite();
  const bank = folder.path('bank.db');
  before(async () => {
    await fillAccounts(bank);
    const system = await startAccounts(bank);
    // An outcome without events, a parked event, and an index in the file.
    await system
      .ref(account, 'closed')
      .ask('receive', { amount: 1 }, { id: 'refused' })
      .catch(() => undefined);
    await system.ref(account, 'ada').ask('pay', { amount: 1, to: 'nobody' });
    await Promise.all(
      Array.from({ length: 2_800 }, (_, i) => system.ref(account, `a${i % 1_400}`).ask('receive', { amount: i })),
    );
    await system.settled();
    await system.stop();
  });

  it('passes a sound journal, with and without the code, and says what it looked at', async () => {
    const plain = await verify(bank);
    expect(plain).to.include({ code: 0, stderr: '' });
    expect(plain.stdout).to.match(/✓ positions {2}2805 events[^]*bank\.db is sound: 2805 events of 1403 aggregates\n$/);
    const end = await verify(bank, '--cast', ACCOUNTS, '--json');
    expect(end.code).to.equal(0);
    expect(end.lines).to.have.length(1);
    const [result] = end.json();
    expect(result).to.include({ ok: true, events: 2805, aggregates: 1403 });
    expect(checksOf(end).map(({ name }) => name)).to.include('readable by this code');
  });

  const DAMAGE: readonly (readonly [what: string, sql: string, check: string])[] = [
    [
      'a changed event',
      "UPDATE event_page SET body = replace(body, '100', '900') WHERE first_position = 1",
      'checksums',
    ],
    [
      'a missing page',
      'DELETE FROM event_page WHERE first_position = (SELECT max(first_position) FROM event_page WHERE first_position < 700)',
      'positions',
    ],
    ['a page at another position', 'UPDATE event_page SET first_position = 0 WHERE first_position = 1', 'checksums'],
    ['a time that was changed', 'UPDATE event_page SET recorded_at = 9e12 WHERE first_position = 1', 'checksums'],
    ['an aggregate without number', "DELETE FROM stream WHERE aggregate_id = 'ada'", 'index'],
    ['another number', "UPDATE stream SET stream = 99999 WHERE aggregate_id = 'ada'", 'index'],
    ['a missing index row', 'DELETE FROM stream_page WHERE stream = 3', 'index'],
    ['a place in the index', "UPDATE stream_page SET pages = '1,2' WHERE stream = 3", 'checksums'],
    ['a hash in the index', "UPDATE stream_page SET command_hashes = '7' WHERE stream = 3", 'checksums'],
    ['the end of the index', "UPDATE meta SET value = 5 WHERE key = 'indexed_to'", 'index'],
    ['an outcome', "UPDATE outcome SET outcome = replace(outcome, 'closed', 'opened')", 'checksums'],
    ['the hash of an outcome', 'UPDATE outcome SET command_hash = 1', 'checksums'],
    ['the second hash of an outcome', 'UPDATE outcome SET hash_negated = 1', 'checksums'],
    ['an outcome of nobody', 'UPDATE outcome SET stream = 99999', 'outcomes'],
    ['a snapshot', "UPDATE snapshot SET state = '{}'", 'checksums'],
    ['a snapshot one behind', 'UPDATE snapshot SET version = version - 1', 'checksums'],
    [
      'a snapshot of the future',
      'INSERT INTO snapshot SELECT stream, 99, schema_version, state, checksum, recorded_at FROM snapshot LIMIT 1',
      'snapshots',
    ],
    [
      'a changed record',
      "UPDATE record SET value = replace(value, 'position', 'positiom') WHERE kind = 'reaction'",
      'checksums',
    ],
  ];
  for (const [what, sql, check] of DAMAGE) {
    it(`finds ${what}`, async () => {
      const path = folder.path('damaged.db');
      copyFileSync(bank, path);
      const connection = await SqliteConnection.open(path, { mode: 'write' });
      await connection.exec(sql);
      await connection.close();
      const end = await verify(path, '--json');
      expect(end.code).to.equal(1);
      expect(failedChecks(end).map(({ name }) => name)).to.include(check);
      const people = await verify(path);
      expect(people.stdout).to.match(/✗ [^]*TROUPE_JOURNAL_CORRUPT [^]*is not as it should be\n$/);
    });
  }

  it('passes a journal whose events have ids of their own, in groups, in the index of the file', async () => {
    const path = folder.path('given-ids.db');
    const system = await startAccounts(path);
    const received = (id: string) => ({ type: 'received', data: { amount: 1 }, id });
    await Promise.all(
      Array.from({ length: 2_800 }, (_, i) =>
        system.append(account, `a${i % 1_400}`, [received(`${i}`), received(`${i}b`)]),
      ),
    );
    await system.stop();
    expect(failedChecks(await verify(path, '--json'))).to.deep.equal([]);
  });

  it('names every event that this code can not read: aggregate, type, versions, position', async () => {
    const end = await verify(bank, '--cast', CHANGED, '--json');
    expect(end.code).to.equal(1);
    const [readable] = failedChecks(end);
    expect(readable?.name).to.equal('readable by this code');
    expect(readable?.faults).to.have.length(2);
    expect(readable?.faults[0]).to.include({
      code: 'TROUPE_UPCAST_MISSING',
      aggregate: 'account',
      id: 'ada',
      type: 'paid',
      version: 2,
      schemaVersion: 1,
      position: 2,
    });
    expect(readable?.faults[0]?.['message']).to.match(
      /account\/ada, version 2, position 2: event paid has schema version 1, the code has 3/,
    );
  });

  it('finds an apply that makes other states than the snapshots hold', async () => {
    const [, snapshots] = failedChecks(await verify(bank, '--cast', CHANGED, '--json'));
    expect(snapshots?.name).to.equal('snapshots of this code');
    expect(snapshots?.faults[0]?.['message']).to.match(/raise snapshot\.version of account/);
  });

  it('finds read models that are not a fresh fold, ahead of the events, or of another journal', async () => {
    const READ_MODELS: readonly (readonly [sql: string, check: string, message: RegExp])[] = [
      ["UPDATE balances SET balance = 0 WHERE account = 'ada'", 'read models of this code', /balances: 1 rows are not/],
      ['UPDATE troupe_projections SET position = 99999', 'checkpoints of read models', /at position 99999/],
      ["UPDATE troupe_views SET value = 'x' WHERE key = 'journal'", 'checkpoints of read models', /another journal/],
    ];
    for (const [sql, check, message] of READ_MODELS) {
      const path = folder.path('models.db');
      copyFileSync(bank, path);
      copyFileSync(`${bank}.views`, `${path}.views`);
      const connection = await SqliteConnection.open(`${path}.views`, { mode: 'write' });
      await connection.exec(sql);
      await connection.close();
      const [failed, ...others] = failedChecks(await verify(path, '--cast', ACCOUNTS, '--json'));
      expect(others).to.deep.equal([]);
      expect(failed?.name).to.equal(check);
      expect(failed?.faults[0]?.['message']).to.match(message);
    }
  });

  it('refuses with 2 what is no journal or no cast, and fails with 1 where a journal is too damaged to look at', async () => {
    writeFileSync(folder.path('notes.txt'), 'hello '.repeat(200));
    expect(await verify(folder.path('notes.txt'))).to.include({ code: 2, stdout: '' });
    expect(await verify(folder.path('missing.db'))).to.include({ code: 2 });
    expect(await verify(bank, '--cast', folder.path('missing.js'))).to.include({ code: 2 });
    const path = folder.path('cut.db');
    copyFileSync(bank, path);
    const connection = await SqliteConnection.open(path, { mode: 'write' });
    await connection.exec('DROP VIEW event_log; DROP TABLE event_page');
    await connection.close();
    const end = await verify(path);
    expect(end.code).to.equal(1);
    expect(end.stdout).to.match(/✗ file structure/);
  });
});
