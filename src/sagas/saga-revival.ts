/** The sagas that an earlier run of the system has left: each goes where it was, at work, in line, or at rest. */
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { RuntimeSaga } from './saga-definition.js';
import type { SagaMemory } from './saga-memory.js';
import { nameIn, type SagaHead } from './saga-records.js';
import type { SagaStore } from './saga-store.js';
import type { WorkQueue } from './work-queue.js';

export interface RevivalSurroundings {
  readonly definitions: ReadonlyMap<string, RuntimeSaga>;
  readonly store: SagaStore;
  readonly queue: WorkQueue;
  readonly memory: SagaMemory;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keys of sagas, by where they were. */
export interface RevivedSagas {
  /** At work, whether or not the cast still has them. */
  readonly left: string[];
  readonly parked: string[];
}

/** Reads them all, and brings each to its place. */
export async function reviveSagas(around: RevivalSurroundings): Promise<RevivedSagas> {
  const { definitions, store, queue, memory, clock, log } = around;
  const unknown = new Map<string, number>();
  const limited: { readonly key: string; readonly head: SagaHead }[] = [];
  const left: string[] = [];
  const parked: string[] = [];
  for await (const { key, head } of store.heads()) {
    const name = nameIn(key);
    if (head.idle === undefined) left.push(key);
    if (!definitions.has(name)) unknown.set(name, (unknown.get(name) ?? 0) + 1);
    else if (head.idle === undefined && queue.limits(key)) limited.push({ key, head });
    else {
      // Who sleeps or waits has begun; a parked one has given its place away.
      if (head.idle?.state === 'parked') parked.push(key);
      else queue.hold(key, head.lane);
      if (head.idle === undefined || (head.idle.due ?? Infinity) <= clock.now()) {
        if (head.idle !== undefined) memory.overslept(key, head.idle);
        queue.enqueue(key, undefined);
      } else memory.rest(key, head.idle);
    }
  }
  // Runs are numbered in order of their starts, so those that had begun get their places back first.
  limited.sort((a, b) => (a.head.run < b.head.run ? -1 : 1));
  for (const { key, head } of limited) queue.add(key, undefined, head.lane);
  for (const [name, count] of unknown) {
    log.warn(
      `${count} sagas ${name} have not ended, and no such saga is in the cast: export it again, so that they go on`,
    );
  }
  return { left, parked };
}
