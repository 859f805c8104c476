/**
 * All folds that run on workers: which worker folds what, and who tells it of commits.
 *
 * A projection stays with one worker, also its build beside the live table; the projections are dealt out in turn. A
 * fold whose worker is being replaced waits for the successor.
 */
import type { Logger } from '../core/logger.js';
import type { FoldMaker } from '../projections/table-fold.js';
import type { FoldLine } from './fold-line.js';
import type { ThreadIndex } from './placement.js';
import { RemoteFold } from './remote-fold.js';

export class FoldCrew {
  readonly #workers: number;
  readonly #log: Logger;
  readonly #lines = new Map<ThreadIndex, FoldLine>();
  readonly #places = new Map<string, ThreadIndex>();
  readonly #folds = new Map<ThreadIndex, Set<RemoteFold>>();

  constructor(workers: number, log: Logger) {
    this.#workers = workers;
    this.#log = log;
  }

  readonly makeFold: FoldMaker = (facts) => {
    const index = this.#placeOf(facts.plan.name);
    const fold = new RemoteFold(facts, { line: () => this.#lines.get(index), log: this.#log });
    const folds = this.#folds.get(index) ?? new Set();
    this.#folds.set(index, folds.add(fold));
    return fold;
  };

  /** A worker has taken its place. */
  open(index: ThreadIndex, line: FoldLine): void {
    this.#lines.set(index, line);
    const folds = this.#folds.get(index);
    for (const fold of folds ?? []) {
      if (fold.ended) folds?.delete(fold);
      else fold.open();
    }
  }

  /** It is gone; its line is told by whoever holds it. */
  close(index: ThreadIndex, line: FoldLine): void {
    if (this.#lines.get(index) === line) this.#lines.delete(index);
  }

  committed(): void {
    for (const line of this.#lines.values()) line.committed();
  }

  #placeOf(projection: string): ThreadIndex {
    const known = this.#places.get(projection);
    if (known !== undefined) return known;
    const index = (this.#places.size % this.#workers) + 1;
    this.#places.set(projection, index);
    return index;
  }
}
