/**
 * A post office that plays the aggregates: remembers outcomes by command id, as they do, across lives of the system.
 *
 * What a command leads to is the test's to say; failures are not remembered, replies and rejections are.
 */
import { Envelope, type EnvelopeFacts, type Post } from '../../src/core/envelope.js';
import { TroupeError, type TroupeErrorCode } from '../../src/core/troupe-error.js';

/** What becomes of a command: a reply, a rejection, a failure, or nothing until the test says so. */
export type Verdict =
  | { readonly reply: unknown }
  | { readonly rejected: string }
  | { readonly failed: string; readonly code?: TroupeErrorCode }
  | 'hang';

/** What survives a crash. */
export class FakeWorld {
  /** Commands that were executed, each once for its id, in order. */
  readonly effects: Envelope[] = [];
  readonly outcomes = new Map<string, Verdict>();
  decide: (envelope: Envelope) => Verdict = () => ({ reply: undefined });
}

export class FakePost implements Post {
  readonly closed = false;
  /** Every delivery to this life, repeats included. */
  readonly deliveries: Envelope[] = [];
  /** Deliveries without an outcome. */
  readonly hanging: Envelope[] = [];
  known: (target: string, type: string) => boolean = () => true;
  dead = false;
  readonly #world: FakeWorld;

  constructor(world: FakeWorld) {
    this.#world = world;
  }

  address(
    target: string,
    targetId: string,
    type: string,
    payload: unknown,
    facts: EnvelopeFacts | undefined,
  ): Envelope {
    if (!this.known(target, type)) {
      throw new TroupeError('TROUPE_UNKNOWN_MESSAGE', `${target}/${targetId}: there is no message ${type}`);
    }
    return new Envelope(target, targetId, type, payload, facts);
  }

  deliver(envelope: Envelope): void {
    if (this.dead) return;
    this.deliveries.push(envelope);
    queueMicrotask(() => {
      if (!this.dead) this.#handle(envelope);
    });
  }

  /** Gives the hanging commands their outcome after all. */
  release(verdict: Verdict = { reply: undefined }): void {
    for (const envelope of this.hanging.splice(0)) this.#conclude(envelope, verdict);
  }

  #handle(envelope: Envelope): void {
    const id = envelope.commandId ?? '';
    const known = this.#world.outcomes.get(id);
    const verdict = known ?? this.#world.decide(envelope);
    if (verdict === 'hang') this.hanging.push(envelope);
    else this.#conclude(envelope, verdict);
  }

  #conclude(envelope: Envelope, verdict: Verdict): void {
    const id = envelope.commandId ?? '';
    envelope.sink?.taken?.();
    if (verdict === 'hang') return;
    if ('failed' in verdict) {
      envelope.sink?.fail(new TroupeError(verdict.code ?? 'TROUPE_ACTOR_FAILED', verdict.failed));
      return;
    }
    if (!this.#world.outcomes.has(id)) {
      this.#world.outcomes.set(id, verdict);
      if ('reply' in verdict) this.#world.effects.push(envelope);
    }
    if ('reply' in verdict) envelope.sink?.reply(verdict.reply, 0, 0);
    else envelope.sink?.fail(new TroupeError('TROUPE_REJECTED', verdict.rejected, { reason: verdict.rejected }));
  }
}
