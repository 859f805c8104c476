/** Who took the memory, as laws over looks: no thread, no memory, no time. */
import { expect } from 'chai';
import { MemorySuspicion, type ProcessLook } from '../../src/system/memory-suspicion.js';

type Name = 'a' | 'b' | 'c';
const LIMIT_MB = 100;
const EVERY_MS = 250;

/** A process whose workers grow and stand still as the test says. */
class Machine {
  readonly suspicion = new MemorySuspicion<Name>(LIMIT_MB, EVERY_MS);
  readonly workers = new Map<Name, { pulse: number; publishedMb: number; takenMb: number }>();
  mainMb = 50;
  #atMs = 0;

  constructor(names: readonly Name[]) {
    for (const name of names) this.workers.set(name, { pulse: 1, publishedMb: 20, takenMb: 20 });
  }

  grow(name: Name, mb: number): void {
    const worker = this.workers.get(name);
    if (worker !== undefined) worker.takenMb += mb;
  }

  /** Time passes; those named beat, and say how large they are. */
  look(beating: readonly Name[]): Name | undefined {
    this.#atMs += EVERY_MS;
    for (const name of beating) {
      const worker = this.workers.get(name);
      if (worker === undefined) continue;
      worker.pulse += 1;
      worker.publishedMb = worker.takenMb;
    }
    let rssMb = this.mainMb + 30;
    for (const { takenMb } of this.workers.values()) rssMb += takenMb;
    const look: ProcessLook<Name> = {
      atMs: this.#atMs,
      rssMb,
      heapMb: this.mainMb,
      workers: Array.from(this.workers, ([worker, { pulse, publishedMb }]) => ({ worker, pulse, heapMb: publishedMb })),
    };
    return this.suspicion.look(look);
  }
}

describe('whose memory it is', () => {
  it('is that of the one that stands still, when nobody else has grown', () => {
    const machine = new Machine(['a', 'b']);
    machine.look(['a', 'b']);
    machine.grow('a', 150);
    expect(machine.look(['b'])).to.equal(undefined);
    machine.grow('a', 50);
    expect(machine.look(['b'])).to.equal('a');
  });

  it('is not that of one that stands still while another one says that it has grown', () => {
    const machine = new Machine(['a', 'b']);
    machine.look(['a', 'b']);
    for (let n = 0; n < 10; n += 1) {
      machine.grow('b', 80);
      expect(machine.look(['b'])).to.equal(undefined);
    }
  });

  it('is not told before all others have said how large they are', () => {
    const machine = new Machine(['a', 'b', 'c']);
    machine.look(['a', 'b', 'c']);
    // It beats right before it grows, and the look comes in between.
    machine.grow('b', 150);
    expect(machine.look(['c'])).to.equal(undefined);
    expect(machine.look(['b', 'c'])).to.equal(undefined);
    expect(machine.look(['b', 'c'])).to.equal(undefined);
    machine.grow('a', 150);
    expect(machine.look(['b', 'c'])).to.equal(undefined);
    expect(machine.look(['b', 'c'])).to.equal('a');
  });

  it('is not that of a worker because the thread that looks has grown', () => {
    const machine = new Machine(['a']);
    machine.look(['a']);
    for (let n = 0; n < 5; n += 1) {
      machine.mainMb += 200;
      expect(machine.look([])).to.equal(undefined);
    }
  });

  it('is not asked for while nobody stands still: then each looks after itself', () => {
    const machine = new Machine(['a', 'b']);
    for (let n = 0; n < 5; n += 1) {
      machine.grow('a', 300);
      expect(machine.look(['a', 'b'])).to.equal(undefined);
    }
  });

  it('of several that stand still is that of the longest, when memory runs away', () => {
    const machine = new Machine(['a', 'b']);
    machine.look(['a', 'b']);
    machine.grow('a', 60);
    machine.look(['b']);
    machine.grow('a', 60);
    expect(machine.look([])).to.equal(undefined);
    machine.grow('a', 40);
    expect(machine.look([])).to.equal(undefined);
    machine.grow('a', 60);
    expect(machine.look([])).to.equal('a');
  });

  it('is forgiven with the one that is ended', () => {
    const machine = new Machine(['a', 'b']);
    machine.look(['a', 'b']);
    machine.grow('a', 200);
    expect(machine.look([])).to.equal(undefined);
    expect(machine.look(['b'])).to.equal('a');
    machine.workers.delete('a');
    expect(machine.look([])).to.equal(undefined);
    expect(machine.look([])).to.equal(undefined);
  });

  it('leaves room for a worker that starts, whose size nobody knows', () => {
    const machine = new Machine(['a']);
    machine.look(['a']);
    machine.workers.set('b', { pulse: 0, publishedMb: 0, takenMb: 60 });
    machine.grow('a', 60);
    expect(machine.look([])).to.equal(undefined);
    expect(machine.look([])).to.equal(undefined);
  });
});
