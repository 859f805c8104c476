/** Which handles the journal remembers, and for how long. */
import { expect } from 'chai';
import { StreamHandle, StreamTable } from '../../src/journal/stream-handle.js';

function handleIn(table: StreamTable, id: string): StreamHandle {
  const handle = new StreamHandle('thing', id, { number: 0, version: 0, outcomeSeq: 0 });
  table.add(handle);
  return handle;
}

describe('the table of handles', () => {
  it('is empty when every handle is released, after 10,000 of them', () => {
    const table = new StreamTable();
    for (let i = 0; i < 10_000; i += 1) table.kill(handleIn(table, `${i}`));
    expect(table.size).to.equal(0);
  });

  it('forgets a released handle with the last of its entries, and wakes who waits for that', async () => {
    const table = new StreamTable();
    const handle = handleIn(table, 'a');
    handle.pending = 2;
    let isVacant = false;
    const vacated = table.vacate('thing', 'a').then(() => (isVacant = true));
    expect(handle.alive).to.equal(false);
    table.settleOne(handle);
    await new Promise((resolve) => setImmediate(resolve));
    expect([table.size, isVacant]).to.deep.equal([1, false]);
    table.settleOne(handle);
    await vacated;
    expect(table.size).to.equal(0);
  });
});
