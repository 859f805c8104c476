/**
 * A counter on a worker thread without any runtime: the same counting, once by one `postMessage` for each message, once
 * by msgpackr batches. What it lacks: ids, mailboxes, limits, failures, anybody else on that thread.
 */
import { Worker } from 'node:worker_threads';
import { Packr } from 'msgpackr';

interface Message {
  readonly seq: number;
  readonly type: 'add' | 'next' | 'total';
  readonly payload: number;
}

interface Answer {
  readonly seq: number;
  readonly value: number;
}

/** One message, one `postMessage`. */
export class PostedCounter {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (value: number) => void>();
  #lastSeq = 0;

  constructor() {
    this.#worker = new Worker(new URL('./posted-counter-worker.js', import.meta.url));
    this.#worker.on('message', ({ seq, value }: Answer) => {
      this.#waiting.get(seq)?.(value);
      this.#waiting.delete(seq);
    });
  }

  tell(type: Message['type'], payload: number): void {
    this.#worker.postMessage({ seq: 0, type, payload });
  }

  ask(type: Message['type'], payload: number): Promise<number> {
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    return new Promise((resolve) => {
      this.#waiting.set(seq, resolve);
      this.#worker.postMessage({ seq, type, payload });
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Batches of messages as bytes. */
export class BatchedCounter {
  readonly #worker: Worker;
  readonly #packr = new Packr();
  readonly #waiting = new Map<number, (value: number) => void>();
  #batch: Message[] = [];
  #lastSeq = 0;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.#worker = new Worker(new URL('./posted-counter-worker.js', import.meta.url));
    this.#worker.on('message', ({ seq, value }: Answer) => {
      this.#waiting.get(seq)?.(value);
      this.#waiting.delete(seq);
    });
  }

  tell(type: Message['type'], payload: number): void {
    this.#batch.push({ seq: 0, type, payload });
    if (this.#batch.length === this.#size) this.#flush();
  }

  ask(type: Message['type'], payload: number): Promise<number> {
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    return new Promise((resolve) => {
      this.#waiting.set(seq, resolve);
      this.#batch.push({ seq, type, payload });
      this.#flush();
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#worker.postMessage(new Uint8Array(this.#packr.pack(batch)));
  }
}
