/** Timers of a journal in memory: the same rules as in the file, without an index, because its timers are few. */
import { isSameTimer, type StoredTimer, type TimerChange, timerKey, type TimerQuery } from './timer-change.js';

export class MemoryTimers {
  readonly #timers = new Map<string, StoredTimer>();

  write(changes: Iterable<TimerChange>): void {
    for (const change of changes) {
      const key = timerKey(change.kind === 'cleared' ? change : change.timer);
      const kept = this.#timers.get(key);
      switch (change.kind) {
        case 'set':
          this.#timers.set(key, change.timer);
          break;
        case 'cleared':
          this.#timers.delete(key);
          break;
        case 'ended':
          if (kept !== undefined && isSameTimer(kept, change.timer)) this.#timers.delete(key);
          break;
        case 'moved':
          if (kept !== undefined && isSameTimer(kept, change.timer)) this.#timers.set(key, change.to);
          break;
      }
    }
  }

  read({ owner, from = -Infinity, limit }: TimerQuery): StoredTimer[] {
    return [...this.#timers.values()]
      .filter((timer) => timer.wakeAt >= from && (owner === undefined || timer.owner === owner))
      .sort((a, b) => a.wakeAt - b.wakeAt)
      .slice(0, limit);
  }
}
