/** The way in for messages from outside: the router, until the system stops. */
import type { Envelope, EnvelopeFacts, Post, ReplySink } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';

export class FrontDoor implements Post {
  readonly #post: Post;
  #closedBy: string | undefined;

  constructor(post: Post) {
    this.#post = post;
  }

  get closed(): boolean {
    return this.#closedBy !== undefined;
  }

  /** Refuses all messages from now on. */
  close(system: string): void {
    this.#closedBy = system;
  }

  address(
    target: string,
    targetId: string,
    type: string,
    payload: unknown,
    facts: EnvelopeFacts | undefined,
    sink?: ReplySink,
  ): Envelope {
    if (this.#closedBy !== undefined) {
      throw new TroupeError(
        'TROUPE_SYSTEM_STOPPED',
        `${target}/${targetId}: ${type} is refused, because ${this.#closedBy} has been stopped`,
        { details: { target, id: targetId, type } },
      );
    }
    return this.#post.address(target, targetId, type, payload, facts, sink);
  }

  deliver(envelope: Envelope): void {
    this.#post.deliver(envelope);
  }
}
