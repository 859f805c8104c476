/** `troupe state`: a state now, at a version, at a time, and what has changed since. */
import { expect } from 'chai';
import { stateCommand } from '../../src/cli/state-command.js';
import { changesBetween } from '../../src/cli/json-changes.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import { fakeHost } from '../scenario/fake-host.js';
import { account } from './fixtures/accounts.js';
import { ACCOUNTS, folderOfSuite, runTool, startAccounts } from './tool-run.js';

const NOON = Date.UTC(2011, 11, 5, 12);

describe('troupe state', function () {
  this.timeout(60_000);
  const folder = folderOfSuite();
  const bank = folder.path('bank.db');
  const state = (...args: string[]) => runTool(stateCommand, [bank, ...args, '--cast', ACCOUNTS]);
  before(async () => {
    const clock = new ManualClock(NOON);
    const system = await startAccounts(bank, clock);
    const ada = system.ref(account, 'ada');
    for (let amount = 1; amount <= 4; amount += 1) {
      await ada.ask('receive', { amount });
      await clock.advance(60_000);
    }
    await ada.ask('pay', { amount: 3, to: 'ben' });
    await system.settled();
    await system.stop();
  });

  it('shows the state now, with version, position and time', async () => {
    const end = await state('account', 'ada');
    expect(end.code).to.equal(0);
    expect(end.lines).to.deep.equal([
      'account/ada@5, position 5, 2011-12-05 12:04:00.000 UTC',
      '{',
      '  "balance": 7,',
      '  "payments": [',
      '    "ben"',
      '  ]',
      '}',
    ]);
  });

  it('shows it at a version and at a time, inclusive, as JSON', async () => {
    const [second] = (await state('account', 'ada', '--at-version', '2', '--json')).json();
    expect(second).to.deep.equal({
      aggregate: 'account',
      id: 'ada',
      version: 2,
      position: 2,
      recordedAt: NOON + 60_000,
      state: { balance: 3, payments: [] },
    });
    const [third] = (await state('account', 'ada', '--at-time', '2011-12-05T12:02:00Z', '--json')).json();
    expect(third)
      .to.include({ version: 3 })
      .and.to.deep.include({ state: { balance: 6, payments: [] } });
    const [before] = (await state('account', 'ada', '--at-time', '2011-12-05', '--json')).json();
    expect(before).to.include({ version: 0, recordedAt: null });
  });

  it('shows what has changed since a moment, and without one what the last event changed', async () => {
    const since = await state('account', 'ada', '--at-version', '1', '--diff');
    expect(since.lines.slice(2)).to.deep.equal(['balance: 1 → 7', 'payments[0]: not there → "ben"']);
    const last = (await state('account', 'ada', '--diff', '--json')).json()[0];
    expect(last?.['changes']).to.deep.equal([
      { path: 'balance', before: 10, after: 7 },
      { path: 'payments[0]', after: 'ben' },
    ]);
    expect((await state('account', 'ada', '--at-version', '5', '--diff')).lines.at(-1)).to.equal('nothing has changed');
  });

  it('fails with 1 for an aggregate without events, and refuses with 2 what it can not use', async () => {
    expect(await state('account', 'nobody')).to.include({ code: 1, stdout: '' });
    const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [['acount', 'ada'], /acount is no aggregate of .*did you mean 'account'\?/],
      [['balances', 'ada'], /balances is no aggregate of .*; it has account/],
      [['account'], /state needs ID: troupe state JOURNAL AGGREGATE ID/],
      [['account', 'ada', '--at-version', '1', '--at-time', '1h'], /--at-version or --at-time, not both/],
      [['account', 'ada', '--at-version', '-1'], /--at-version takes a whole number from 0 on/],
    ];
    for (const [args, message] of refusals) {
      const end = await state(...args);
      expect(end.stderr).to.match(message);
      expect(end).to.include({ code: 2, stdout: '' });
    }
    const without = await runTool(stateCommand, [bank, 'account', 'ada']);
    expect(without).to.include({ code: 2 });
    expect(without.stderr).to.match(/needs your code: give the module that exports your definitions with --cast FILE/);
    expect((await runTool(stateCommand, ['--help'], fakeHost())).stdout).to.match(
      /Examples\n {2}troupe state shop\.db/,
    );
  });

  it('lists changes field by field, also of lists and of fields that come and go', () => {
    expect(
      changesBetween({ a: 1, 'b c': [1, { d: 2 }], e: null }, { a: 1, 'b c': [1, { d: 3 }, 4], f: {} }),
    ).to.deep.equal([
      { path: '["b c"][1].d', before: 2, after: 3 },
      { path: '["b c"][2]', before: undefined, after: 4 },
      { path: 'e', before: null, after: undefined },
      { path: 'f', before: undefined, after: {} },
    ]);
    expect(changesBetween(1, [1])).to.deep.equal([{ path: '', before: 1, after: [1] }]);
  });
});
