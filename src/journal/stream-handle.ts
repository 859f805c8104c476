/**
 * Handles of aggregates, and which of them may append.
 *
 * At most one handle of an aggregate is alive: versions are counted in its memory, so two would both give the
 * next one. `load` takes the old one's right away, waits until its entries are through, and only then reads.
 * The table knows the handles in use and no others: a released or dead one leaves it with its last entry.
 */
import type { Stream } from './journal.js';

/** The journal's handle of one aggregate. */
export class StreamHandle implements Stream {
  readonly aggregate: string;
  readonly id: string;
  head: number;
  alive = true;
  /** The aggregate's number in the file; 0 until its first entry is put into a commit. */
  number: number;
  /** Whether the number is in the file. */
  stored: boolean;
  /** Number of the last outcome without events. */
  outcomeSeq: number;
  /** Entries appended and neither committed nor failed. */
  pending = 0;
  /** The page row that is open for this aggregate while a commit is put together (`commit-group.ts`). */
  openRow: PageRow | undefined;
  #waiting: (() => void)[] | undefined;

  constructor(
    aggregate: string,
    id: string,
    stored: { readonly number: number; readonly version: number; readonly outcomeSeq: number },
  ) {
    this.aggregate = aggregate;
    this.id = id;
    this.head = stored.version;
    this.number = stored.number;
    this.stored = stored.number > 0;
    this.outcomeSeq = stored.outcomeSeq;
  }

  get key(): string {
    return streamKey(this.aggregate, this.id);
  }

  /** Resolves when no entry of this handle waits any more. */
  drained(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => {
      (this.#waiting ??= []).push(resolve);
    });
  }

  /** Called by the table when the last entry is through. */
  wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) resolve();
  }
}

/** Which events of one aggregate a page holds, as it goes into the index. */
export interface PageRow {
  readonly stream: StreamHandle;
  readonly firstVersion: number;
  lastVersion: number;
  /** Position of the first of these events. */
  readonly position: number;
  /** Hashes of the commands whose last event is in the page, joined by commas. */
  hashes: string;
}

/** The handles in use, by aggregate. */
export class StreamTable {
  readonly #handles = new Map<string, StreamHandle>();
  #epoch = 0;

  /** Handles in use. */
  get size(): number {
    return this.#handles.size;
  }

  /** Changes when handles are killed because of what was read, so that who is reading knows to read again. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Takes the right to append from whoever has it; resolves when nothing of this aggregate is on its way any more. */
  async vacate(aggregate: string, id: string): Promise<void> {
    const key = streamKey(aggregate, id);
    for (;;) {
      const handle = this.#handles.get(key);
      if (handle === undefined) return;
      this.kill(handle);
      await handle.drained();
    }
  }

  find(aggregate: string, id: string): StreamHandle | undefined {
    return this.#handles.get(streamKey(aggregate, id));
  }

  /** The aggregate has to be vacant. */
  add(handle: StreamHandle): void {
    this.#handles.set(handle.key, handle);
  }

  /** The handle appends no more; what it has appended goes on. */
  kill(handle: StreamHandle): void {
    handle.alive = false;
    if (handle.pending === 0) this.#forget(handle);
  }

  /** What anybody has counted or read of these aggregates is void, and who is reading reads again. */
  killSome(keys: ReadonlySet<string>): void {
    this.#epoch += 1;
    for (const [key, handle] of this.#handles) if (keys.has(key)) this.kill(handle);
  }

  /** Every version that anybody has counted or read so far is void. */
  killAll(): void {
    this.#epoch += 1;
    for (const handle of this.#handles.values()) this.kill(handle);
  }

  /** One entry of the handle is committed or has failed. */
  settleOne(handle: StreamHandle): void {
    handle.pending -= 1;
    if (handle.pending > 0) return;
    if (!handle.alive) this.#forget(handle);
    handle.wakeWaiting();
  }

  #forget(handle: StreamHandle): void {
    const key = handle.key;
    if (this.#handles.get(key) === handle) this.#handles.delete(key);
  }
}

/** Names of definitions have no `/`, so no two aggregates share a key. */
export function streamKey(aggregate: string, id: string): string {
  return `${aggregate}/${id}`;
}
