/**
 * The actors of the spawn benches: a parent that spawns as many children as it is told, and children that count in a
 * counter of their thread how many of them began, and how many handled their one message.
 */
import { actor } from 'troupe';

/** Of this process, whose only thread all of them are on. */
export const counted = { begun: 0, handled: 0 };

export const child = actor({
  name: 'child',
  initialState: () => {
    counted.begun += 1;
    return { count: 0 };
  },
  receive: {
    /** One message is a life. */
    once(state, _nothing: undefined, ctx) {
      state.count += 1;
      counted.handled += 1;
      ctx.stop();
    },
  },
});

export const parent = actor({
  name: 'parent',
  initialState: () => ({}),
  receive: {
    spawn(_state, count: number, ctx) {
      for (let i = 0; i < count; i += 1) ctx.spawn(child);
    },
    spawnForOne(_state, count: number, ctx) {
      for (let i = 0; i < count; i += 1) ctx.spawn(child).tell('once');
    },
    /** Behind everything that the children had to do when it was asked. */
    ready: () => true,
  },
});
