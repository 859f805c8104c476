/** The reply of a plain actor: what its handler returned, if that can be sent. */
import type { Envelope, ReplySink } from '../core/envelope.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { RuntimeRef } from './actor-ref.js';
import type { MessageSource } from './actor-surroundings.js';
import { checkMessage, isPrimitive } from './message-check.js';
import { copyMessage } from './message-copy.js';

/** Makes references for whoever asked. */
export interface ReplySurroundings {
  makeRef(name: string, id: string, source: MessageSource | undefined): RuntimeRef;
  sourceOf(sender: unknown): MessageSource | undefined;
}

/** Answers a message; a reply that can't be sent fails the ask. Who only waits for room hears that it was handled. */
export function answer(envelope: Envelope, sink: ReplySink, reply: unknown, around: ReplySurroundings): void {
  if (!sink.wantsReply || isPrimitive(reply)) return sink.reply(reply, 0, 0);
  let value = reply;
  try {
    checkMessage(reply, `${envelope.target}/${envelope.targetId}: the reply to ${envelope.type}`);
    const source = around.sourceOf(envelope.sender);
    // Also without a reference in it: a part of the state, handed out, could be changed from outside.
    value = copyMessage(reply, ({ name, id }) => around.makeRef(name, id, source));
  } catch (error) {
    // `checkMessage` throws nothing else.
    return sink.fail(error as TroupeError);
  }
  sink.reply(value, 0, 0);
}
