/**
 * The baselines do what they are compared for: they store, handle and answer everything, in order.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MessageRing } from '../../bench/baselines/message-ring.js';
import { PromiseQueue } from '../../bench/baselines/promise-queue.js';
import { countInFile, RawWriter } from '../../bench/baselines/raw-writer.js';

describe('bench baselines', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-raw-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('store 2,500 texts in fewer commits, and answer each one', async () => {
    const file = join(folder, 'many.db');
    const writer = await RawWriter.open(file, 'NORMAL');
    for (let group = 0; group < 5; group += 1) {
      await Promise.all(Array.from({ length: 500 }, (_, i) => writer.write(JSON.stringify(['fact', group, i]))));
    }
    await writer.close();
    expect(await countInFile(file, 'SELECT sum(json_array_length(body)) AS n FROM commits')).to.equal(2_500);
    expect(await countInFile(file, 'SELECT count(*) AS n FROM commits')).to.be.within(5, 50);
  });

  it('put texts that come during a commit into the next one', async () => {
    const file = join(folder, 'two.db');
    const writer = await RawWriter.open(file, 'FULL');
    const first = writer.write('1');
    await Promise.resolve();
    await Promise.all([first, writer.write('2'), writer.write('3')]);
    await writer.close();
    expect(await countInFile(file, 'SELECT count(*) AS n FROM commits')).to.equal(2);
  });

  it('fail those whose text can not be stored', async () => {
    const writer = await RawWriter.open(join(folder, 'closed.db'), 'NORMAL');
    await writer.close();
    const error = await writer.write('1').catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(Error);
  });

  it('drain a ring in one microtask, in order, also what is told meanwhile', async () => {
    const seen: number[] = [];
    const ring = new MessageRing(8, ({ type, payload }) => {
      seen.push(payload);
      if (payload === 2) ring.tell(type, 5);
    });
    for (let round = 0; round < 3; round += 1) {
      for (const payload of [1, 2, 3]) ring.tell('number', payload);
      expect(seen).to.have.length(round * 4);
      await Promise.resolve();
      expect(seen.slice(-4)).to.deep.equal([1, 2, 3, 5]);
    }
  });

  it('answer each one who asks', async () => {
    let count = 0;
    const queue = new PromiseQueue((amount) => (count += amount));
    expect(await Promise.all([queue.ask(1), queue.ask(2)])).to.deep.equal([1, 3]);
    expect(await queue.ask(3)).to.equal(6);
  });
});
