/** The line to the folds of a worker: no word of a new head is lost. */
import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import type { StoredPage } from '../../src/journal/event-page.js';
import { ControlPort } from '../../src/threads/control.js';
import { FoldLine } from '../../src/threads/fold-line.js';
import type { RemoteFold } from '../../src/threads/remote-fold.js';

describe('the line to the folds of a worker', () => {
  it('tells of every head that the worker has not read up to, also when it has read beyond the one before', async () => {
    const { port1, port2 } = new MessageChannel();
    const heads: number[] = [];
    const worker = new ControlPort(port2, { begin: () => undefined, head: (head: number) => heads.push(head) });
    const pages: StoredPage[] = [{ firstPosition: 1, lastPosition: 2, recordedAt: 0, body: '[]' }];
    const journal = { head: 1, readPages: () => Promise.resolve(pages) };
    const line = new FoldLine(port1, journal);
    // Of the fold itself nothing else is asked here.
    await line.begin({ lost: () => undefined } as unknown as RemoteFold, {
      name: 'counts',
      position: 0,
      poisoned: undefined,
    });
    // The file has the second event already; that it is committed is not known yet.
    await worker.call('pages', 0);
    journal.head = 2;
    line.committed();
    journal.head = 3;
    line.committed();
    // Until the worker has read, one word is enough.
    journal.head = 4;
    line.committed();
    await worker.call('pages', 2);
    journal.head = 5;
    line.committed();
    await worker.call('pages', 2);
    expect(heads).to.deep.equal([2, 3, 5]);
    worker.close(new Error('the end'));
    line.lost(new Error('the end'), undefined);
  });
});
