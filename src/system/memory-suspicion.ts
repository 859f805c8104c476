/**
 * Who takes the memory of the process: a worker that stays in one turn while the process grows, and nobody else's
 * growth explains it (promise 5).
 *
 * Of a worker whose loop stands still, nobody can ask how large its heap is; but all others have said so at their last
 * beat. What the process has grown by beyond what these have is the doing of those that stand still. A look at it
 * only accuses; the others' next beats, with their newer sizes, confirm it or acquit. Where several stand still, the
 * machine may be busy: they are waited for, unless memory runs away.
 */

/**
 * A worker at one look.
 *
 * @typeParam W what stands for a worker: one for each life.
 */
export interface WorkerLook<W> {
  readonly worker: W;
  /** Changes as long as its loop turns; 0: it has not begun to. */
  readonly pulse: number;
  /** Its heap at its last beat. */
  readonly heapMb: number;
}

/** One look at the process. */
export interface ProcessLook<W> {
  readonly atMs: number;
  readonly rssMb: number;
  /** Heap of the thread that looks. */
  readonly heapMb: number;
  readonly workers: readonly WorkerLook<W>[];
}

/** Room for a worker that starts: nobody knows its heap yet. */
const STARTING_MB = 64;
/** Times the limit at which the one that stands still the longest is ended, although others stand still, too. */
const RUNAWAY = 2;

interface Seen<W> {
  readonly pulse: number;
  /** The look at which this pulse was new. */
  readonly since: ProcessLook<W>;
}

export class MemorySuspicion<W> {
  readonly #limitMb: number;
  /** Standing still for less than this is nothing. */
  readonly #stillMs: number;
  readonly #seen = new Map<W, Seen<W>>();
  /** A look at which memory had grown, and who stood still then. */
  #accusation: { readonly look: ProcessLook<W>; readonly still: ReadonlySet<W> } | undefined;

  constructor(limitMb: number, stillMs: number) {
    this.#limitMb = limitMb;
    this.#stillMs = stillMs;
  }

  /** The worker to end, if there is one. */
  look(look: ProcessLook<W>): W | undefined {
    for (const known of this.#seen.keys()) {
      if (!look.workers.some(({ worker }) => worker === known)) this.#seen.delete(known);
    }
    for (const { worker, pulse } of look.workers) {
      if (this.#seen.get(worker)?.pulse !== pulse) this.#seen.set(worker, { pulse, since: look });
    }
    const still = look.workers.filter((one) => this.#isStill(one, look)).map(({ worker }) => worker);
    const guilty = this.#judge(look, still);
    if (guilty !== undefined) this.#acquitAll(look);
    return guilty;
  }

  #judge(look: ProcessLook<W>, still: readonly W[]): W | undefined {
    const accused = this.#accusation;
    const suspects = still.filter((worker) => accused?.still.has(worker) === true);
    if (accused !== undefined && suspects.length === 0) this.#accusation = undefined;
    if (this.#accusation === undefined) {
      const growing = still.filter((worker) => this.#unexplainedMb(worker, look, look) > this.#limitMb);
      if (growing.length > 0) this.#accusation = { look, still: new Set(growing) };
      return undefined;
    }
    const [longest] = suspects.toSorted((a, b) => this.#stillSince(a) - this.#stillSince(b));
    if (longest === undefined) return undefined;
    // What the others have said since then is newer than the size of the process then.
    const isHeard = look.workers.every((one) => suspects.includes(one.worker) || this.#hasBeaten(one));
    const grownMb = this.#unexplainedMb(longest, this.#accusation.look, look);
    if (isHeard && grownMb <= this.#limitMb) {
      this.#accusation = undefined;
      return undefined;
    }
    if (isHeard && suspects.length === 1) return longest;
    return this.#unexplainedMb(longest, look, look) > RUNAWAY * this.#limitMb ? longest : undefined;
  }

  /** Growth of the process up to one look, since this worker stood still, without what the others have grown by. */
  #unexplainedMb(worker: W, upTo: ProcessLook<W>, heard: ProcessLook<W>): number {
    const since = this.#seen.get(worker)?.since;
    if (since === undefined) return 0;
    let grownMb = upTo.rssMb - since.rssMb - Math.max(0, heard.heapMb - since.heapMb);
    for (const { worker: other, heapMb, pulse } of heard.workers) {
      if (other === worker) continue;
      const before = since.workers.find((one) => one.worker === other);
      if (pulse === 0 || before === undefined || before.pulse === 0) grownMb -= Math.max(STARTING_MB, heapMb);
      else grownMb -= Math.max(0, heapMb - before.heapMb);
    }
    return grownMb;
  }

  #hasBeaten({ worker, pulse }: WorkerLook<W>): boolean {
    const then = this.#accusation?.look.workers.find((one) => one.worker === worker);
    return then === undefined || then.pulse !== pulse;
  }

  #isStill({ worker, pulse }: WorkerLook<W>, look: ProcessLook<W>): boolean {
    return pulse !== 0 && look.atMs - this.#stillSince(worker) >= this.#stillMs;
  }

  #stillSince(worker: W): number {
    return this.#seen.get(worker)?.since.atMs ?? Infinity;
  }

  /** What the ended one has taken is nobody else's. */
  #acquitAll(look: ProcessLook<W>): void {
    this.#accusation = undefined;
    for (const [worker, { pulse }] of this.#seen) this.#seen.set(worker, { pulse, since: look });
  }
}
