/**
 * Random histories with failing commits, lost answers and reloads, against a model that is a list.
 *
 * Whatever happens, the journal holds exactly what was acknowledged, plus at most what landed without an answer.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Journal, Stream } from '../../src/journal/journal.js';
import { MemoryJournal } from '../../src/journal/memory-journal.js';
import { openJournal } from '../../src/journal/open-journal.js';
import type { JournalFault } from '../../src/journal/journal-store.js';
import { append, inFolder, readAll, readWhole } from './journal-harness.js';

type Step =
  | { readonly kind: 'append'; readonly id: number; readonly events: number }
  | { readonly kind: 'wait' }
  | { readonly kind: 'turn' }
  | { readonly kind: 'reload'; readonly id: number };

const steps = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: fc.record({ kind: fc.constant('append' as const), id: fc.nat(4), events: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), id: fc.nat(4) }) },
  ),
  { minLength: 1, maxLength: 60 },
);

/** For each commit: nothing, a fault before it, after it, or after it with a head that can't be read. */
const faults = fc.array(fc.constantFrom('none', 'none', 'none', 'before', 'after', 'blind'), { maxLength: 20 });

async function check(
  history: readonly Step[],
  broken: readonly string[],
  open: (fault: JournalFault) => Promise<Journal>,
): Promise<void> {
  let isOver = false;
  const journal = await open((commit, moment) => {
    const how = isOver ? 'none' : (broken[commit - 1] ?? 'none');
    const fails = how === moment || (how === 'blind' && moment !== 'before');
    return fails ? new Error(`${how} at ${commit}`) : undefined;
  });
  const told: number[] = [];
  journal.onCommit = ({ firstPosition, lastPosition }) => {
    for (let position = firstPosition; position <= lastPosition; position += 1) told.push(position);
  };
  const streams = new Map<number, Stream>();
  const acknowledged: { id: number; commandId: string; events: number; position: number }[] = [];
  const waiting: Promise<void>[] = [];
  let commands = 0;
  for (const step of history) {
    if (step.kind === 'append') {
      let stream = streams.get(step.id);
      if (stream?.alive !== true) stream = (await journal.load('thing', `${step.id}`, undefined)).stream;
      streams.set(step.id, stream);
      const commandId = `c${(commands += 1)}`;
      const { id, events } = step;
      waiting.push(
        append(journal, stream, { commandId, data: Array.from({ length: events }, () => ({ commandId })) }).then(
          ({ firstPosition }) => {
            acknowledged.push({ id, commandId, events, position: firstPosition });
          },
          () => undefined,
        ),
      );
    } else if (step.kind === 'wait') await Promise.all(waiting.splice(0));
    else if (step.kind === 'turn') await new Promise((resolve) => setImmediate(resolve));
    else streams.set(step.id, (await journal.load('thing', `${step.id}`, undefined)).stream);
  }
  await journal.flushed();
  await Promise.all(waiting);
  // What is in doubt is known once the head can be read again.
  isOver = true;
  await append(journal, (await journal.load('end', 'end', undefined)).stream);
  const events = await readAll(journal, journal.head);
  expect(events.map(({ position }) => position)).to.deep.equal(events.map((_, i) => i + 1));
  expect(told).to.deep.equal(events.map(({ position }) => position));
  for (const { id, commandId, events: count, position } of acknowledged) {
    const own = events.filter((event) => event.commandId === commandId);
    expect(own.map((event) => event.position)).to.deep.equal(Array.from({ length: count }, (_, i) => position + i));
    if (count > 0) expect(own[0]?.aggregateId).to.equal(`${id}`);
  }
  for (let id = 0; id < 5; id += 1) {
    const own = events.filter((event) => event.aggregate === 'thing' && event.aggregateId === `${id}`);
    expect(own.map(({ version }) => version)).to.deep.equal(own.map((_, i) => i + 1));
    expect(await readWhole(journal, 'thing', `${id}`)).to.deep.equal(own);
    expect((await journal.load('thing', `${id}`, undefined)).version).to.equal(own.length);
  }
  await journal.close();
}

describe('random histories of a journal with failing commits', () => {
  it('in memory: what was acknowledged is there, once, without a gap; every event was told of, in order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, faults, (history, broken) =>
        check(history, broken, (fault) => Promise.resolve(new MemoryJournal({ fault }))),
      ),
      { numRuns: 200, seed: 1 },
    );
  }).timeout(60_000);

  it('in SQLite: what was acknowledged is there, once, without a gap; every event was told of, in order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, faults, (history, broken) =>
        inFolder((folder) =>
          check(history, broken, (fault) => openJournal({ path: join(folder, 'j.db'), durability: 'os', fault })),
        ),
      ),
      { numRuns: 30, seed: 1 },
    );
  }).timeout(60_000);
});
