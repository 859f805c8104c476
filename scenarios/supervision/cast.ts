/** The cast of `supervision`: one kind of child, and a parent for each way to deal with one that fails. */
import { actor, type SupervisionOptions } from 'troupe';

/** Counts, and fails when told. */
export const child = actor({
  name: 'child',
  initialState: () => ({ count: 0 }),
  receive: {
    add: (state) => (state.count += 1),
    count: (state) => state.count,
    fail(_state, text: string) {
      throw new Error(text);
    },
  },
});

/** Spawns three children when it starts, in order. */
function parentOf(name: string, children: SupervisionOptions) {
  return actor({
    name,
    initialState: () => ({ lives: 0 }),
    started(_state, ctx) {
      for (const place of ['a', 'b', 'c']) ctx.spawn(child, { id: `${ctx.self.id}-${place}` });
    },
    receive: { ready: () => true },
    children: { backoff: { min: '20ms', max: '200ms', jitter: 0 }, ...children },
  });
}

export const oneForOne = parentOf('one-for-one', { strategy: 'one-for-one' });
export const allForOne = parentOf('all-for-one', { strategy: 'all-for-one' });
export const restForOne = parentOf('rest-for-one', { strategy: 'rest-for-one' });
export const resuming = parentOf('resuming', { decide: () => 'resume' });
export const stopping = parentOf('stopping', { decide: () => 'stop' });
export const escalating = parentOf('escalating', { decide: () => 'escalate' });
export const patient = parentOf('patient', { maxRestarts: 2, within: '10s' });
