/**
 * The main thread's end of one worker's folds: answers what they read, binds what they write.
 *
 * The work here is a read or a statement for each batch, whatever is in it. When the worker is lost, nothing more is
 * taken from it: what was not written is folded again by its successor.
 */
import { fromWireTroupeError, toWireError } from '../core/wire-error.js';
import type { Journal } from '../journal/journal.js';
import { StatementFailure } from '../projections/view-table.js';
import type { MessagePort } from './channel.js';
import { ControlPort } from './control.js';
import type {
  BeginFold,
  FailedStatement,
  FetchRows,
  FoldMoved,
  FoldSkipped,
  FoldStopped,
  FoldTroubled,
  HeadAnswer,
  PagesAnswer,
  ParkEvent,
  WriteRows,
} from './fold-wire.js';
import type { RemoteFold } from './remote-fold.js';

/** The number of a fold in handling-mark.ts has 31 bits. */
const MOST_NUMBERS = 2 ** 31 - 1;

export class FoldLine {
  readonly #port: ControlPort;
  readonly #journal: Pick<Journal, 'head' | 'readPages'>;
  readonly #folds = new Map<number, RemoteFold>();
  #lastNumber = 0;
  /** Whether the worker was told of a head since its last answer, and so is going to read. */
  #told = false;
  /** Position up to which the worker was given pages. */
  #readTo = 0;

  constructor(port: MessagePort, journal: Pick<Journal, 'head' | 'readPages'>) {
    this.#journal = journal;
    this.#port = new ControlPort(port, {
      pages: (after: number) => this.#pages(after),
      fetch: ({ fold, keys }: FetchRows) => this.#at(fold).fetch(keys),
      write: (write: WriteRows) => this.#write(write),
      position: (fold: number) => this.#at(fold).readPosition(),
      moved: ({ fold, position, any }: FoldMoved) => this.#folds.get(fold)?.moveTo(position, any),
      skipped: ({ fold, events }: FoldSkipped) => this.#folds.get(fold)?.skipped(events),
      troubled: ({ fold, error }: FoldTroubled) =>
        this.#folds.get(fold)?.troubled(error === undefined ? undefined : fromWireTroupeError(error)),
      stopped: ({ fold, position, error }: FoldStopped) =>
        this.#folds.get(fold)?.stopBy({ position, error: fromWireTroupeError(error) }),
      parked: ({ fold, event, error }: ParkEvent) => this.#at(fold).park(event, fromWireTroupeError(error)),
      atHead: (fold: number) => this.#atHead(fold),
    });
  }

  /** Begins a fold; its number is for the calls below. */
  async begin(fold: RemoteFold, begin: Omit<BeginFold, 'fold' | 'head'>): Promise<number> {
    this.#lastNumber = (this.#lastNumber % MOST_NUMBERS) + 1;
    const number = this.#lastNumber;
    this.#folds.set(number, fold);
    // This one starts with the head as it is, and may have nothing to read.
    this.#told = false;
    await this.#port.call('begin', { ...begin, fold: number, head: this.#journal.head } satisfies BeginFold);
    return number;
  }

  hurry(fold: number): void {
    this.#port.note('hurry', fold);
  }

  /** Resolves when its last batch is written; rejects when the worker is lost meanwhile. */
  async stop(fold: number): Promise<void> {
    await this.#port.call('stop', fold);
    this.#folds.delete(fold);
  }

  /** The journal has come further. One word is enough until the worker reads. */
  committed(): void {
    if (this.#told || this.#folds.size === 0) return;
    const { head } = this.#journal;
    // A read may have seen events before the head was known to have moved; who has them all asks no more.
    this.#told = head > this.#readTo;
    this.#port.note('head', head);
  }

  /** The worker is gone. `on`: the fold whose handler was on the stack, and its event. */
  lost(error: Error, on: { readonly fold: number; readonly position: number } | undefined): void {
    const folds = [...this.#folds];
    this.#folds.clear();
    this.#port.close(error);
    for (const [number, fold] of folds) fold.lost(error, on?.fold === number ? on.position : undefined);
  }

  async #pages(after: number): Promise<PagesAnswer> {
    const pages = await this.#journal.readPages(after);
    this.#readTo = Math.max(this.#readTo, pages.at(-1)?.lastPosition ?? 0);
    // From here on: it may have all there is, and then asks no more until it hears of a greater head.
    this.#told = false;
    return { head: this.#journal.head, pages };
  }

  async #write({ fold, batch }: WriteRows): Promise<FailedStatement | undefined> {
    try {
      await this.#at(fold).write(batch);
      return undefined;
    } catch (error) {
      if (!(error instanceof StatementFailure)) throw error;
      return { position: error.position, error: toWireError(error.cause) };
    }
  }

  async #atHead(fold: number): Promise<HeadAnswer> {
    const swapping = this.#at(fold).atHead();
    if (swapping === undefined) return 'live';
    await swapping;
    return 'building';
  }

  #at(fold: number): Pick<RemoteFold, 'fetch' | 'write' | 'readPosition' | 'park' | 'atHead'> {
    const found = this.#folds.get(fold);
    if (found !== undefined) return found;
    throw new Error(`there is no fold ${fold}`);
  }
}
