/**
 * Durable timers: they stand in the journal, wake by the wall clock, and survive everything that the journal does.
 *
 * Never early, as the clock has it at that moment; a clock that jumps forward makes them due within a second, one
 * that jumps back makes them wait. A timer leaves the journal only after its owner's `fire` has resolved, so a crash
 * in between fires it again: owners do what it asks for under an id derived from owner, name and time. Only the next
 * ones are in memory (timer-horizon.ts).
 *
 * Who uses it: sagas (`sleep`, timeouts) and reminders. An owner's kind is what stands before `>` in `owner`; it calls
 * `serve(kind, fire)` before `start()`, and sets timers with `set`, or together with its own records by
 * `journal.writeRecords(records, [{ kind: 'set', timer }])`, or with events by `JournalEntry.timers`.
 */
import type { Clock, Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { Logger } from '../core/logger.js';
import { isTroupeError } from '../core/troupe-error.js';
import type { Journal } from '../journal/journal.js';
import type { StoredTimer, TimerChange } from '../journal/timer-change.js';
import { ThrottledLog } from '../streams/throttled-log.js';
import { TimerHorizon } from './timer-horizon.js';

/**
 * What becomes of a timer that has fired: `done`, it leaves the journal; a later one takes its place; or its owner
 * has already written what became of it (`settled`), together with records of its own.
 */
export type TimerVerdict = 'done' | 'settled' | { readonly wakeAt: number; readonly body: string };

/** Does what a timer asks for. A rejection is a fault: it is logged, and the timer fires again after a backoff. */
export type FireTimer = (timer: StoredTimer) => Promise<TimerVerdict>;

export interface TimerSurroundings {
  readonly journal: Pick<Journal, 'readTimers' | 'writeRecords' | 'onTimers'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Timers in memory. Default `LIMITS.timersInMemory`. */
  readonly room?: number;
}

/** Numbers for `metrics()`. */
export interface TimerMetrics {
  /** When the next one wakes; null when there is none. */
  readonly nextAt: number | null;
  /** Firing now. */
  readonly firing: number;
  /** Fired since the start. */
  readonly fired: number;
}

export class TimerService {
  readonly #around: TimerSurroundings;
  readonly #horizon: TimerHorizon;
  readonly #owners = new Map<string, FireTimer>();
  readonly #warnings: ThrottledLog;
  readonly #underWay = new Set<Promise<void>>();
  /** Ends the waits of what is tried again. */
  readonly #stop = new AbortController();
  #alarm: Timer | undefined;
  #started = false;
  #fired = 0;

  constructor(around: TimerSurroundings) {
    this.#around = around;
    this.#horizon = new TimerHorizon(around.room ?? LIMITS.timersInMemory);
    this.#warnings = new ThrottledLog(around.log, around.clock, 'warn');
    around.journal.onTimers = (changes) => {
      if (changes === undefined) this.#horizon.forget();
      else this.#horizon.changed(changes);
      this.#look();
    };
  }

  /** Says who does what timers of a kind ask for; once for each kind, before `start()`. */
  serve(kind: string, fire: FireTimer): void {
    this.#owners.set(kind, fire);
  }

  /**
   * Timers fire from now on; what fell due while nobody was here does so at once.
   *
   * @throws TROUPE_JOURNAL_CORRUPT when one of the next timers is damaged.
   */
  async start(): Promise<void> {
    this.#started = true;
    await this.#load((error) => {
      if (isTroupeError(error, 'TROUPE_JOURNAL_CORRUPT')) throw error;
    });
    this.#look();
  }

  /** Sets a timer, or replaces the one of this owner and name; durable when it resolves. */
  async set(timer: StoredTimer): Promise<void> {
    await this.#around.journal.writeRecords([], [{ kind: 'set', timer }]);
  }

  /** Takes a timer away; durable when it resolves. One that is firing can't be called back. */
  async clear(owner: string, name: string): Promise<void> {
    await this.#around.journal.writeRecords([], [{ kind: 'cleared', owner, name }]);
  }

  /** Whether nothing fires. */
  get idle(): boolean {
    return this.#horizon.firing === 0;
  }

  metrics(): TimerMetrics {
    return { nextAt: this.#horizon.nextAt ?? null, firing: this.#horizon.firing, fired: this.#fired };
  }

  /** Nothing fires any more; resolves when what was firing has come to its end or been left for the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#alarm?.cancel();
    await Promise.all(this.#underWay);
    this.#warnings.close();
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Fires what is due, loads what is missing, and says when to look again. */
  #look(): void {
    if (!this.#started || this.#stopped) return;
    const { clock } = this.#around;
    while (this.#horizon.firing < LIMITS.timersFiring) {
      const timer = this.#horizon.takeDue(clock.now());
      if (timer === undefined) break;
      const firing = this.#fire(timer).finally(() => {
        this.#underWay.delete(firing);
        this.#look();
      });
      this.#underWay.add(firing);
    }
    if (this.#horizon.wantsMore) void this.#load().then(() => this.#look());
    this.#alarm?.cancel();
    this.#alarm = undefined;
    const { nextAt } = this.#horizon;
    if (nextAt === undefined || this.#horizon.firing >= LIMITS.timersFiring) return;
    // Looked at now and then as well, because the wall clock may jump and no timer would notice.
    const waitMs = Math.min(Math.max(0, nextAt - clock.now()), LIMITS.timerLookMs);
    this.#alarm = clock.setTimer(waitMs, () => this.#look(), true);
  }

  /** @param failed may throw, and so keep from trying again */
  async #load(failed?: (error: unknown) => void): Promise<void> {
    const limit = this.#horizon.beginLoad();
    try {
      const timers = await this.#around.journal.readTimers({ limit });
      this.#horizon.loaded(timers, limit);
    } catch (error) {
      this.#horizon.abandonLoad();
      failed?.(error);
      this.#warnings.write('load', 'timers can not be read from the journal; trying again', { error });
      await this.#pause(LIMITS.timerRetryMaxMs);
    }
  }

  async #fire(timer: StoredTimer): Promise<void> {
    const verdict = await this.#untilDone(timer, 'what a timer asks for failed', () => this.#verdictOn(timer));
    if (verdict === undefined) return;
    if (verdict !== 'settled') {
      const change = changeBy(timer, verdict);
      const written = await this.#untilDone(timer, 'that a timer has fired could not be written', async () => {
        await this.#around.journal.writeRecords([], [change]);
        return true;
      });
      if (written === undefined) return;
    }
    this.#fired += 1;
    this.#horizon.fired(timer);
  }

  #verdictOn(timer: StoredTimer): Promise<TimerVerdict> {
    const kind = timer.owner.slice(0, timer.owner.indexOf('>'));
    const fire = this.#owners.get(kind);
    if (fire !== undefined) return fire(timer);
    // Of a later release, perhaps: it is kept.
    this.#warnings.write(kind, `nobody knows timers of the kind ${kind}; they are kept`, { timer });
    return Promise.resolve({ wakeAt: this.#around.clock.now() + LIMITS.timerOrphanMs, body: timer.body });
  }

  /** Tries again and again; undefined when the service was stopped before it came through. */
  async #untilDone<T>(timer: StoredTimer, what: string, run: () => Promise<T>): Promise<T | undefined> {
    for (let failures = 0; ; failures += 1) {
      if (failures > 0 && this.#stopped) return undefined;
      try {
        return await run();
      } catch (error) {
        if (this.#stopped) return undefined;
        this.#warnings.write(what, `${what}; trying again`, { owner: timer.owner, name: timer.name, error });
        await this.#pause(Math.min(LIMITS.timerRetryMaxMs, LIMITS.timerRetryMinMs * 2 ** failures));
      }
    }
  }

  /** Waits, unless the service stops. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#around.clock.setTimer(ms, end, true);
      signal.addEventListener('abort', end);
    });
  }
}

function changeBy(timer: StoredTimer, verdict: Exclude<TimerVerdict, 'settled'>): TimerChange {
  if (verdict === 'done') return { kind: 'ended', timer };
  return { kind: 'moved', timer, to: { ...timer, wakeAt: verdict.wakeAt, body: verdict.body } };
}
