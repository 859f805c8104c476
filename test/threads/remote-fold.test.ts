/** The fold of one table on a worker, as the main thread holds it: what becomes of it when workers are lost. */
import { expect } from 'chai';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { TroupeError } from '../../src/core/troupe-error.js';
import type { FoldFacts } from '../../src/projections/table-fold.js';
import type { FoldLine } from '../../src/threads/fold-line.js';
import { RemoteFold } from '../../src/threads/remote-fold.js';

const noop = (): void => undefined;
const log = { debug: noop, info: noop, warn: noop, error: noop };
const gone = new TroupeError('TROUPE_WORKER_LOST', 'worker 1 was lost');
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A fold whose workers are this test: where each life began, and with which event convicted. */
class Story {
  readonly lives: { readonly position: number; readonly poisoned: number | undefined }[] = [];
  readonly letters: number[] = [];
  /** The checkpoint in the file. */
  checkpoint = 0;
  readonly fold: RemoteFold;
  #line: FoldLine | undefined;

  constructor() {
    // Of plan, table, listener and line, no more than this is asked here.
    const facts = {
      plan: { name: 'counts' },
      table: { readPosition: () => Promise.resolve(this.checkpoint) },
      start: { position: 0 },
      listener: {
        moved: noop,
        troubled: noop,
        parked: ({ position }: RecordedEvent) => Promise.resolve(this.letters.push(position)),
      },
    } as unknown as FoldFacts;
    this.fold = new RemoteFold(facts, { line: () => this.#line, log });
    this.fold.start();
  }

  /** A worker takes its place. */
  async hire(): Promise<void> {
    const begin: FoldLine['begin'] = (_fold, { position, poisoned }) => {
      this.lives.push({ position, poisoned: poisoned?.position });
      return Promise.resolve(this.lives.length);
    };
    this.#line = { begin } as FoldLine;
    this.fold.open();
    await tick();
  }

  /** It ends, with this event on its stack; undefined when something else ended it. */
  lose(on: number | undefined): void {
    this.#line = undefined;
    this.fold.lost(gone, on);
  }
}

/** All that parking looks at. */
const eventAt = (position: number): RecordedEvent => ({ position }) as RecordedEvent;

describe('a fold on a worker', () => {
  it('convicts the event that was on the stack when two workers ended, whatever else ended others in between', async () => {
    const story = new Story();
    for (const on of [5, undefined, 5, undefined]) {
      await story.hire();
      story.lose(on);
    }
    expect(story.lives.map(({ poisoned }) => poisoned)).to.deep.equal([undefined, undefined, undefined, 5]);
  });

  it('two events that ended one worker each are no convicts', async () => {
    const story = new Story();
    for (const on of [5, 6, 5]) {
      await story.hire();
      story.lose(on);
    }
    await story.hire();
    expect(story.lives.map(({ poisoned }) => poisoned)).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('an event that is parked stays convicted until the checkpoint has passed it: a worker lost in between costs no other', async () => {
    const story = new Story();
    for (const on of [5, 5]) {
      await story.hire();
      story.lose(on);
    }
    story.checkpoint = 4;
    await story.hire();
    await story.fold.park(eventAt(5), gone);
    // The letter is kept; somebody else ends the worker before the checkpoint is written.
    story.lose(undefined);
    await story.hire();
    expect(story.lives.slice(2)).to.deep.equal([
      { position: 4, poisoned: 5 },
      { position: 4, poisoned: 5 },
    ]);
    expect(story.letters).to.deep.equal([5]);
    story.checkpoint = 5;
    story.lose(undefined);
    await story.hire();
    expect(story.lives.at(-1)).to.deep.equal({ position: 5, poisoned: undefined });
  });
});
