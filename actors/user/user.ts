/** The user service: one aggregate per customer. The first order registers; further ones change nothing. */
import { aggregate } from 'troupe';
import { z } from 'zod';

const registration = z.object({ country: z.string() });

interface UserState {
  readonly registered: boolean;
}

export const user = aggregate({
  name: 'user',
  initialState: (): UserState => ({ registered: false }),
  events: {
    'user.registered': { schema: registration, apply: () => ({ registered: true }) },
  },
  commands: {
    register: {
      schema: registration,
      handle(state, input, ctx) {
        if (!state.registered) ctx.emit('user.registered', input);
      },
    },
  },
  passivateAfter: '5s',
});
