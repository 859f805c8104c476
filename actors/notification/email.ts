/**
 * The notification service: one aggregate per mail, sent once.
 *
 * Its id is `<template>:<what it is about>`, so that one order or return never gets the same mail twice. Somebody
 * without an account is `guest`.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

const mail = z.object({
  to: z.string(),
  template: z.enum(['order-shipped', 'order-cancelled', 'return-accepted']),
  about: z.string(),
});

interface EmailState {
  readonly sent: boolean;
}

export const email = aggregate({
  name: 'email',
  initialState: (): EmailState => ({ sent: false }),
  events: {
    'email.sent': { schema: mail, apply: () => ({ sent: true }) },
  },
  commands: {
    send: {
      schema: mail,
      handle(state, input, ctx) {
        if (state.sent) ctx.reject('already-sent', `mail ${ctx.id} was sent already`);
        ctx.emit('email.sent', input);
      },
    },
  },
  passivateAfter: '5s',
});
