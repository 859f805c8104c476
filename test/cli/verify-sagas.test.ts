/** `troupe verify` over what sagas keep: a sound journal passes, and what would let a saga sleep or forget is named. */
import { copyFileSync } from 'node:fs';
import { expect } from 'chai';
import { ActorSystem, saga } from 'troupe';
import { verifyCommand } from '../../src/cli/verify-command.js';
import { recordChecksum } from '../../src/journal/checksums.js';
import { openJournalReader } from '../../src/journal/open-journal.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { eventually } from '../support/eventually.js';
import { shop } from './fixtures/errands.js';
import { folderOfSuite, runTool } from './tool-run.js';

const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const stroll = saga({
  name: 'stroll',
  of: [shop],
  passivateAfter: '20ms',
  async run(ctx, way: 'sleep' | 'wait' | 'through') {
    await ctx.ask(shop, 's', 'buy', { what: ctx.id });
    await ctx.step('think', () => way);
    if (way === 'sleep') await ctx.sleep('2d');
    if (way === 'wait') await ctx.waitFor('shop.opened', { aggregateId: 's' });
    return way;
  },
});

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly checked: string;
  readonly faults: readonly { readonly message: string }[];
}

describe('troupe verify, of sagas', function () {
  this.timeout(60_000);
  const folder = folderOfSuite();
  const sound = folder.path('strolls.db');
  before(async () => {
    const system = await ActorSystem.start({ cast: [shop, stroll], workers: 0, journal: sound, log });
    for (const way of ['sleep', 'wait', 'through'] as const) await system.ref(stroll, way).start(way);
    // They leave memory: the one that sleeps with a timer.
    const reader = await openJournalReader(sound);
    await eventually(async () => {
      const heads = await reader.readRecords('saga');
      return heads.length === 2 && heads.every(({ value }) => (value as { idle?: unknown }).idle !== undefined);
    });
    await reader.close();
    await system.stop();
  });

  /** The checks of a copy that was changed. */
  async function checks(change?: (connection: SqliteConnection) => Promise<unknown>): Promise<Check[]> {
    const path = folder.path('copy.db');
    copyFileSync(sound, path);
    const connection = await SqliteConnection.open(path, { mode: 'write' });
    await change?.(connection);
    await connection.close();
    const end = await runTool(verifyCommand, [path, '--json']);
    return (JSON.parse(end.stdout) as { readonly checks: Check[] }).checks;
  }

  const failed = (all: readonly Check[]): string[] =>
    all.filter(({ ok }) => !ok).flatMap(({ name, faults }) => faults.map(({ message }) => `${name}: ${message}`));

  /** Another value in a record, as if it had been written so. */
  const rewrite = (kind: string, key: string, from: string, to: string) => async (connection: SqliteConnection) => {
    const row = await connection.get<{ value: string }>(
      'SELECT value FROM record WHERE kind = ? AND key = ?',
      kind,
      key,
    );
    const value = (row?.value ?? '').replace(from, to);
    expect(value).to.not.equal(row?.value);
    await connection.run(
      'UPDATE record SET value = ?, checksum = ? WHERE kind = ? AND key = ?',
      value,
      recordChecksum(kind, key, value),
      kind,
      key,
    );
  };

  it('passes a sound journal, and says what it looked at', async () => {
    const all = await checks();
    expect(failed(all)).to.deep.equal([]);
    expect(all.find(({ name }) => name === 'sagas')?.checked).to.equal('2 that have not ended, 3 histories');
    expect(all.find(({ name }) => name === 'checkpoints')?.checked).to.match(/ records, 1 timers$/);
  });

  it('finds a timer that was changed, and one that is gone', async () => {
    expect(failed(await checks((db) => db.exec('UPDATE timer SET wake_at = wake_at + 1000')))).to.include(
      'checksums: the timer wake of saga>stroll/sleep is not as it was written',
    );
    const [gone] = failed(await checks((db) => db.exec('DELETE FROM timer')));
    expect(gone).to.match(/^sagas: saga stroll\/sleep is to wake at \d{4}-.*, and no timer does that$/);
  });

  it('finds a hole in a history, and one that is gone', async () => {
    const ofSleeper = `(SELECT key FROM record WHERE kind = 'saga-history'
      AND key LIKE (SELECT value ->> 'run' FROM record WHERE kind = 'saga' AND key = 'stroll/sleep') || '/%' ORDER BY key`;
    const hole = failed(await checks((db) => db.exec(`DELETE FROM record WHERE key IN ${ofSleeper} LIMIT 1)`)));
    expect(hole.join()).to.match(/sagas: the history of saga stroll\/sleep: row 0 should follow, 1 stands there/);
    const gone = failed(await checks((db) => db.exec(`DELETE FROM record WHERE key IN ${ofSleeper})`)));
    expect(gone).to.deep.equal(['sagas: saga stroll/sleep has no history, so its input is lost']);
  });

  it('finds a saga that waits behind the last event', async () => {
    const change = rewrite('saga', 'stroll/wait', '"searchedTo":', '"searchedTo":9');
    const [fault] = failed(await checks(change));
    expect(fault).to.match(/^sagas: saga stroll\/wait is at position 9\d, the events end at 3$/);
  });
});
