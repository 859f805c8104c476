/**
 * The control lane between the main thread and one worker: a port of its own, which mail neither fills nor delays.
 *
 * Calls have an answer each; notes have none. Values that users gave cross as bytes of the frame codec.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { fromWireTroupeError, toWireError, type WireError } from '../core/wire-error.js';

type ControlMessage =
  | { readonly kind: 'call'; readonly seq: number; readonly name: string; readonly argument: unknown }
  | { readonly kind: 'answer'; readonly seq: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly seq: number; readonly error: WireError }
  | { readonly kind: 'note'; readonly name: string; readonly argument: unknown };

/** What the other side may call or note, by name. */
export type ControlHandlers = Readonly<Record<string, (argument: never) => unknown>>;

export class ControlPort {
  readonly #port: MessagePort;
  readonly #handlers: ControlHandlers;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastSeq = 0;
  readonly #beforePost: () => void;
  #closed: Error | undefined;

  /** @param beforePost called before anything leaves by this port. Default: nothing has to go ahead of it */
  constructor(port: MessagePort, handlers: ControlHandlers, beforePost: () => void = () => undefined) {
    this.#port = port;
    this.#handlers = handlers;
    this.#beforePost = beforePost;
    port.on('message', (message: ControlMessage) => void this.#take(message));
  }

  /** Calls the other side. */
  call(name: string, argument?: unknown): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    return new Promise((resolve, reject) => {
      this.#waiting.set(seq, { resolve, reject });
      this.#post({ kind: 'call', seq, name, argument });
    });
  }

  /** Tells the other side; ports in `transfer` become its own. */
  note(name: string, argument?: unknown, transfer: readonly MessagePort[] = []): void {
    if (this.#closed === undefined) this.#post({ kind: 'note', name, argument }, transfer);
  }

  /** The other side has died: what it had said before counts. */
  drain(): void {
    for (let one = receiveMessageOnPort(this.#port); one !== undefined; one = receiveMessageOnPort(this.#port)) {
      // Only control ports post to each other.
      void this.#take(one.message as ControlMessage);
    }
  }

  /** The other side is gone, or shall be left alone: calls under way fail with `error`. */
  close(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#port.close();
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #post(message: ControlMessage, transfer: readonly MessagePort[] = []): void {
    this.#beforePost();
    this.#port.postMessage(message, [...transfer]);
  }

  async #take(message: ControlMessage): Promise<void> {
    switch (message.kind) {
      case 'note':
        this.#handlers[message.name]?.(message.argument as never);
        return;
      case 'call':
        try {
          const value = await this.#handlers[message.name]?.(message.argument as never);
          if (this.#closed === undefined) this.#post({ kind: 'answer', seq: message.seq, value });
        } catch (error) {
          if (this.#closed === undefined) this.#post({ kind: 'failure', seq: message.seq, error: toWireError(error) });
        }
        return;
      case 'answer':
        this.#waiting.get(message.seq)?.resolve(message.value);
        this.#waiting.delete(message.seq);
        return;
      case 'failure':
        this.#waiting.get(message.seq)?.reject(fromWireTroupeError(message.error));
        this.#waiting.delete(message.seq);
        return;
    }
  }
}
