/** Casts that load on the main thread and not on a worker: the start fails, with the reason and the fix. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem, isTroupeError } from 'troupe';
import { ManualClock } from 'troupe/testkit';
import { stone } from './fixtures/unfit.js';

const silent = { debug: noop, info: noop, warn: noop, error: noop };

describe('a cast that a worker cannot load', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const [how, reason] of [
    ['throw', 'there is no window here'],
    ['exit', 'exited'],
  ] as const) {
    it(`(${how}) fails the start with TROUPE_INVALID_OPTIONS, the reason and what to do, and leaves nothing behind`, async () => {
      const cast = new URL(`./fixtures/unfit.js?how=${how}`, import.meta.url);
      const journal = join(folder, 'test.db');
      const error: unknown = await ActorSystem.start({ cast, workers: 2, journal, log: silent }).catch(
        (thrown: unknown) => thrown,
      );
      if (!isTroupeError(error)) throw error;
      expect(error.code).to.equal('TROUPE_INVALID_OPTIONS');
      expect(error.message).to.contain('unfit.js').and.contain(reason).and.contain('workers: 0');
      // The lock is free, and so is everything else: the same cast works on one thread.
      const system = await ActorSystem.start({ cast, workers: 0, journal, log: silent });
      await system.ref(stone, 's').ask('roll');
      await system.stop();
    });
  }
});

describe('workers', () => {
  it('refuse a clock of the thread that starts them, which they could not read', async () => {
    const cast = new URL('./fixtures/unfit.js', import.meta.url);
    const clock = new ManualClock();
    const error: unknown = await ActorSystem.start({ cast, workers: 1, journal: ':memory:', clock }).catch(
      (thrown: unknown) => thrown,
    );
    expect(isTroupeError(error, 'TROUPE_INVALID_OPTIONS') && error.message)
      .to.contain('clock')
      .and.contain('workers: 0');
  });
});

function noop(): void {}
