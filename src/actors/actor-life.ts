/**
 * One life of an actor: from `initialState` to the restart or stop that ends it.
 *
 * Everything that a restart must not leave behind hangs on the life and ends with it: state, behaviours, children,
 * the signal. Mailbox, stash and death watch belong to the instance and go on.
 */
import type { RuntimeHandler } from './actor-definition.js';
import type { ActorFamily } from './actor-family.js';

export class ActorLife {
  /** From 1. */
  readonly number: number;
  state: unknown;
  /** The handlers of the moment. */
  receive: ReadonlyMap<string, RuntimeHandler>;
  /** Whether `started` has come to its end, so that `stopped` is due. */
  started = false;
  family: ActorFamily | undefined;
  #left = false;
  #before: ReadonlyMap<string, RuntimeHandler>[] | undefined;
  #controller: AbortController | undefined;

  constructor(number: number, receive: ReadonlyMap<string, RuntimeHandler>) {
    this.number = number;
    this.receive = receive;
  }

  /** Whether the life ends or has ended: nothing that it began may go on. */
  get left(): boolean {
    return this.#left;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#left) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  become(receive: ReadonlyMap<string, RuntimeHandler>): void {
    this.#before ??= [];
    this.#before.push(this.receive);
    this.receive = receive;
  }

  /** Nothing happens when there is no earlier behaviour. */
  unbecome(): void {
    this.receive = this.#before?.pop() ?? this.receive;
  }

  /** The life ends: whoever listens to the signal is told, and failing children are not restarted any more. */
  leave(): void {
    this.#left = true;
    this.family?.close();
    this.#controller?.abort();
  }
}
