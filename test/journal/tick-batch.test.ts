/** Questions that share a query. */
import { expect } from 'chai';
import { TickBatch } from '../../src/journal/tick-batch.js';

describe('a batch of one tick', () => {
  it('puts the questions of one tick into one query, and those that come meanwhile into the next', async () => {
    const asked: number[][] = [];
    const batch = new TickBatch<number, number>(4, async (questions) => {
      asked.push([...questions]);
      await new Promise((resolve) => setImmediate(resolve));
      return questions.map((question) => question * 10);
    });
    const first = [1, 2].map((n) => batch.ask(n));
    await new Promise((resolve) => process.nextTick(resolve));
    const second = [3, 4, 5, 6, 7].map((n) => batch.ask(n));
    expect(await Promise.all([...first, ...second])).to.deep.equal([10, 20, 30, 40, 50, 60, 70]);
    expect(asked).to.deep.equal([[1, 2], [3, 4, 5, 6], [7]]);
    expect(await batch.ask(8)).to.equal(80);
  });

  it('asks one by one when the query fails, so that only those fail that are at fault', async () => {
    const batch = new TickBatch<number, number>(10, (questions) =>
      questions.includes(2) ? Promise.reject(new Error('two')) : Promise.resolve(questions),
    );
    const settled = await Promise.allSettled([1, 2, 3].map((n) => batch.ask(n)));
    expect(settled.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
  });
});
