/** The cast of the suite `timers`: an actor that notes how late it hears of what was due. */
import { actor } from 'troupe';

/** Milliseconds between what was due and its being heard, of every message in this process. */
export const heard: number[] = [];

export const listener = actor({
  name: 'listener',
  initialState: () => ({}),
  receive: {
    hear: (_state, dueMs: number) => {
      heard.push(Date.now() - dueMs);
    },
    heard: () => heard.length,
  },
});
