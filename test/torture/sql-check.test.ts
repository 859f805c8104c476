/** The independent check of the torture can fail: each kind of damage that it looks for is found when it is there. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem } from 'troupe';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { account } from './bank.js';
import { settle, type Settled } from './settle.js';
import { checkJournal, type CheckedCommand } from './sql-check.js';

const COMMANDS: readonly CheckedCommand[] = [
  { id: 'd', type: 'deposit', account: 'a1', amount: 5, to: '', acknowledged: true, events: 1 },
  { id: 's', type: 'split', account: 'a1', amount: 3, to: '', acknowledged: true, events: 2 },
  { id: 'p', type: 'send', account: 'a1', amount: 2, to: 'a2', acknowledged: true, events: 1 },
  { id: 'q', type: 'send', account: 'a1', amount: 1, to: 'closed', acknowledged: false, events: 1 },
];

describe('the independent check of the torture', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-check-'));
  const journal = join(folder, 'bank.db');
  let settled: Settled;
  after(() => rmSync(folder, { recursive: true, force: true }));
  before(async () => {
    const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const cast = new URL('./bank.js', import.meta.url);
    const system = await ActorSystem.start({ cast, workers: 0, journal, log: quiet });
    const a1 = system.ref(account, 'a1');
    await a1.ask('deposit', { amount: 5 }, { id: 'd' });
    await a1.ask('split', { amount: 3 }, { id: 's' });
    await a1.ask('send', { amount: 2, to: 'a2' }, { id: 'p' });
    await a1.ask('send', { amount: 1, to: 'closed' }, { id: 'q' });
    for (let i = 0; i < 7; i += 1) await system.ref(account, 'a9').ask('deposit', { amount: 1 }, { id: `n${i}` });
    await system.settled();
    await system.stop();
    settled = await settle(journal, 0);
  });

  const more = Array.from({ length: 7 }, (_, i): CheckedCommand => {
    return { id: `n${i}`, type: 'deposit', account: 'a9', amount: 1, to: '', acknowledged: true, events: 1 };
  });

  it('finds nothing where all is well, and counts what was refused', async () => {
    const result = await checkJournal(journal, [...COMMANDS, ...more], settled);
    expect(result).to.deep.equal({ faults: [], events: 18, refused: 1 });
    expect(settled).to.deep.include({ rejected: 1, others: [] });
  });

  const lost: CheckedCommand = {
    id: 'x',
    type: 'deposit',
    account: 'a3',
    amount: 5,
    to: '',
    acknowledged: true,
    events: 1,
  };
  const CASES: readonly (readonly [fault: string, sql: string, commands?: readonly CheckedCommand[]])[] = [
    ['positions with a gap', 'DELETE FROM event_page WHERE first_position = 1'],
    ['versions with a gap', `UPDATE event_page SET body = replace(body, '"a9",7,', '"a9",8,')`],
    ['an acknowledged command without its events', '', [lost]],
    ['something else', `UPDATE event_page SET body = replace(body, '{"amount":5}', '{"amount":6}')`],
    ['never sent', `UPDATE event_page SET body = replace(body, '"n3","n3"', '"m3","m3"')`],
    [
      'an effect of a reaction twice',
      `UPDATE event_page SET body = replace(replace(body, '"n5","n5",null', '"n5","n5","c"'), '"n6","n6",null', '"n6","n6","c"')`,
    ],
    ['an effect without its cause', `UPDATE event_page SET body = replace(body, '"account/a1@4"', '"account/a1@99"')`],
    [
      'both honoured and returned',
      `UPDATE event_page SET body = replace(body, '"guarantee.held"', '"guarantee.returned"')`,
    ],
    [
      'not come to the right end',
      `UPDATE event_page SET body = replace(body, '"guarantee.returned"', '"guarantee.kept"')`,
    ],
    [
      'honoured before the payment',
      `UPDATE event_page SET body = replace(body, '"account.credited"', '"account.deposited"')`,
    ],
    ['not that of its payment', `UPDATE event_page SET body = replace(body, '"a1-1"', '"a1-7"')`],
    ['a snapshot that is not the fold', `UPDATE snapshot SET state = replace(state, '"balance":7', '"balance":8')`],
    ['a row of balances that a fresh fold does not have', `UPDATE views.balances SET balance = balance + 1`],
    ['a row that a fresh fold has and payments has not', `DELETE FROM views.payments WHERE pair = 'a1>a2'`],
  ];
  for (const [fault, sql, commands = []] of CASES) {
    it(`finds ${fault}`, async () => {
      const path = join(folder, 'damaged.db');
      copyFileSync(journal, path);
      copyFileSync(`${journal}.views`, `${path}.views`);
      const connection = await SqliteConnection.open(path, { mode: 'write' });
      await connection.run('ATTACH ? AS views', `${path}.views`);
      await connection.exec(sql);
      await connection.close();
      const { faults } = await checkJournal(path, [...COMMANDS, ...more, ...commands], settled);
      expect(faults.join('\n')).to.include(fault);
    });
  }
});

function nothing(): void {
  // What is refused is a dead letter, and looked for there.
}
