/**
 * What becomes of sagas that have ended: their histories go first, then, where a definition says so, that they ever ran.
 *
 * Each end is written with a record whose key says when it was, so that the oldest are found without a search. An
 * end that is kept answers a second start and whoever asks for the result; one that a living saga still waits for
 * stays in any case. Taking away and noting that it is done are one write: a crash in between takes away again.
 */
import type { Clock, Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { Journal, RecordChange } from '../journal/journal.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import { erasureOf } from './run-end.js';
import type { RuntimeSaga } from './saga-definition.js';
import { pastOf, type PastSaga, pastUntil, SAGA_ENDED, SAGA_PAST, SAGA_TRIMMED } from './saga-records.js';

export interface SagaRetentionOptions {
  readonly definitions: ReadonlyMap<string, RuntimeSaga>;
  readonly journal: Pick<Journal, 'readRecords' | 'writeRecords'>;
  readonly clock: Clock;
  readonly warnings: ThrottledLog;
  /** Keys of the sagas whose ends are still needed; undefined while that isn't known. */
  readonly needed: () => ReadonlySet<string> | undefined;
}

/** Ended sagas read at a time. */
const PAGE = 256;

export class SagaRetention {
  readonly #options: SagaRetentionOptions;
  #alarm: Timer | undefined;
  #looking: Promise<void> | undefined;
  #forgetting: Promise<void> | undefined;
  #ended = false;

  constructor(options: SagaRetentionOptions) {
    this.#options = options;
  }

  start(): void {
    const { definitions, clock } = this.#options;
    if (this.#ended || [...definitions.values()].every(({ options }) => options.keep.historyMs === Infinity)) return;
    this.#alarm = clock.setTimer(
      LIMITS.sagaForgetEveryMs,
      () => {
        this.#looking = this.#look().finally(() => this.start());
      },
      true,
    );
  }

  /** Takes nothing away any more; resolves when what is under way is over. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#alarm?.cancel();
    await this.#looking;
  }

  /** Resolves when no end is being forgotten: whoever asks afterwards finds one, or none. */
  async settled(): Promise<void> {
    await this.#forgetting;
  }

  async #look(): Promise<void> {
    try {
      for (const { name, options } of this.#options.definitions.values()) {
        const { historyMs, resultMs } = options.keep;
        if (historyMs < Infinity) await this.#each(SAGA_PAST, name, historyMs, (past) => this.#trim(past, resultMs));
        if (resultMs < Infinity) await this.#each(SAGA_TRIMMED, name, resultMs, (past) => this.#forget(past));
      }
    } catch (error) {
      // Nothing is lost but room; the next look does it.
      if (!this.#ended) this.#options.warnings.write('retention', 'ended sagas could not be taken away', { error });
    }
  }

  /** Hands out, in pages, the sagas of a definition that had ended so long ago. */
  async #each(
    kind: string,
    name: string,
    keptMs: number,
    take: (page: readonly PastSaga[]) => Promise<void>,
  ): Promise<void> {
    const { journal, clock } = this.#options;
    const { after: first, before } = pastUntil(name, clock.now() - keptMs);
    for (let after = first; !this.#ended && after < before; ) {
      const page = await journal.readRecords(kind, { after, before, limit: PAGE });
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.key;
      await take(page.map(({ key, value }) => pastOf(key, value)));
    }
  }

  /** Their histories go. */
  async #trim(page: readonly PastSaga[], resultMs: number): Promise<void> {
    let changes: RecordChange[] = [];
    for (const { pastKey, run, rows } of page) {
      changes.push(...erasureOf(run, rows), { kind: SAGA_PAST, key: pastKey, value: undefined });
      if (resultMs < Infinity) changes.push({ kind: SAGA_TRIMMED, key: pastKey, value: {} });
      if (changes.length < LIMITS.sagaForgetRecords) continue;
      await this.#options.journal.writeRecords(changes);
      changes = [];
    }
    if (changes.length > 0) await this.#options.journal.writeRecords(changes);
  }

  /** That they ever ran goes, unless somebody waits for it. */
  async #forget(page: readonly PastSaga[]): Promise<void> {
    const needed = this.#options.needed();
    if (needed === undefined) return;
    const changes = page
      .filter(({ key }) => !needed.has(key))
      .flatMap(({ key, pastKey }) => [
        { kind: SAGA_ENDED, key, value: undefined },
        { kind: SAGA_TRIMMED, key: pastKey, value: undefined },
      ]);
    if (changes.length === 0) return;
    // Begun in the same moment as the look at who is needed, so that nobody asks in between.
    const write = this.#options.journal.writeRecords(changes);
    this.#forgetting = write.catch(() => undefined);
    await write;
  }
}
