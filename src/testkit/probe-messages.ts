/**
 * The messages of a probe actor as a source: asked for every few milliseconds, from the first one on.
 *
 * Asking works wherever the actor runs. When the actor has ended, so has the source.
 */
import { systemClock, type Timer } from '../core/clock.js';
import type { ActorDefinition } from '../actors/actor-definition.js';
import type { ActorRef } from '../actors/actor-ref.js';
import type { ProbeMessages, ProbeState, ReceivedMessage } from './probe-actor.js';
import type { ProbeSource } from './test-probe.js';

/** A reference to an actor made by `probeActor`. */
export type ProbeRef = ActorRef<ActorDefinition<string, ProbeState, unknown, ProbeMessages<never>>>;

/** Milliseconds between two asks: short for a test, long enough to cost nothing. */
const ASK_EVERY_MS = 5;

export function messagesOf(ref: ProbeRef): ProbeSource<ReceivedMessage> {
  return {
    subscribe(observer) {
      let seen = 0;
      let timer: Timer | undefined;
      let stopped = false;
      const ask = (): void => {
        ref.ask('received', seen).then(
          (messages) => {
            if (stopped) return;
            seen += messages.length;
            for (const message of messages) observer.next(message);
            timer = systemClock.setTimer(ASK_EVERY_MS, ask, true);
          },
          (error: unknown) => {
            if (!stopped) observer.error(error);
          },
        );
      };
      ask();
      return {
        unsubscribe() {
          stopped = true;
          timer?.cancel();
        },
      };
    },
  };
}
