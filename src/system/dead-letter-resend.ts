/**
 * Sends the message of a dead letter again, as it was.
 *
 * Its command id makes that safe: if the command has had an outcome after all, that answers. A rejected one gets a
 * fresh id (`reactions/retried-command-id.ts`), and a message that had none gets one from its letter, so that
 * retrying twice is one command too.
 */
import { describeError, reasonOf } from '../actors/undeliverable.js';
import type { DeadLetterError, DeadLetterReason } from '../core/dead-letter.js';
import type { Post, ReplySink } from '../core/envelope.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { nextRetryId } from '../reactions/retried-command-id.js';
import type { KeptLetter } from './dead-letter-record.js';

/** What came of it; `failure` is undefined when it was good. */
export interface ResendOutcome {
  readonly commandId: string;
  readonly failure: { readonly reason: DeadLetterReason; readonly error: DeadLetterError } | undefined;
}

/**
 * Resolves with the outcome of the message.
 *
 * @throws what `Post.address` throws, TROUPE_SYSTEM_STOPPED, and TROUPE_NOT_SERIALIZABLE when the payload could not
 * be kept across a restart.
 */
export async function resend(post: Post, { letter, trace, payloadKept }: KeptLetter): Promise<ResendOutcome> {
  const { target, type, payload, reason } = letter;
  if (!payloadKept) {
    throw new TroupeError(
      'TROUPE_NOT_SERIALIZABLE',
      `dead letter ${letter.id}: its payload was no JSON value and did not survive the restart; send it anew and discard the letter`,
      { details: { id: letter.id } },
    );
  }
  const original = trace.commandId;
  const commandId =
    original === undefined ? `dead-letter>${letter.id}` : reason === 'rejected' ? nextRetryId(original) : original;
  const { correlationId, causationId, metadata } = trace;
  const error = await new Promise<TroupeError | undefined>((resolve) => {
    const sink: ReplySink = { wantsReply: false, reply: () => resolve(undefined), fail: resolve };
    const facts = { commandId, correlationId, causationId, metadata, waits: true, sink };
    post.deliver(post.address(target.name, target.id, type, payload, facts));
  });
  if (error === undefined) return { commandId, failure: undefined };
  if (isTroupeError(error, 'TROUPE_SYSTEM_STOPPED')) throw error;
  return { commandId, failure: { reason: reasonOf(error), error: describeError(error) } };
}
