/**
 * When a snapshot of an instance is due, and what goes into it.
 *
 * It is written in the same commit as the events it rests on, so it is never behind them or ahead. After a recovery
 * that replayed as much as the policy allows between two snapshots, one is due at once: the next recovery is short
 * even if nothing happens until then. A policy that fails costs a snapshot, never a command.
 */
import { encodeJson } from '../core/json-value.js';
import type { Logger } from '../core/logger.js';
import { isStrayPromise } from '../core/thenable.js';
import type { JournalEntry, Stream } from '../journal/journal.js';
import type { RuntimeAggregate, SnapshotSettings } from './aggregate-definition.js';

/** A snapshot on its way to the journal. */
export type DueSnapshot = NonNullable<JournalEntry['snapshot']>;

/** What the policy of one instance counts. */
export class SnapshotPace {
  readonly #cell: { readonly definition: RuntimeAggregate; readonly id: string; readonly log: Logger };
  readonly #policy: SnapshotSettings | undefined;
  /** Version of the last snapshot. */
  #version = 0;
  /** Bytes of events since then; counted only if the policy asks. */
  #bytes = 0;

  constructor(cell: { readonly definition: RuntimeAggregate; readonly id: string; readonly log: Logger }) {
    this.#cell = cell;
    this.#policy = cell.definition.options.snapshot;
  }

  /** The instance was recovered from a snapshot of version `from` (0: from none) by replaying events up to `version`. */
  recovered(state: unknown, version: number, from: number, bytes: number): DueSnapshot | undefined {
    this.#version = from;
    this.#bytes = bytes;
    return version > from ? this.#ifDue(state, version) : undefined;
  }

  /** A command has emitted these events, encoded, of which the last has this version. */
  after(state: unknown, version: number, events: string): DueSnapshot | undefined {
    const policy = this.#policy;
    if (policy === undefined || events === '') return undefined;
    if (policy.bytes !== undefined) this.#bytes += Buffer.byteLength(events);
    return this.#ifDue(state, version);
  }

  #ifDue(state: unknown, version: number): DueSnapshot | undefined {
    const policy = this.#policy;
    if (policy === undefined || !this.#isDue(policy, state, version)) return undefined;
    this.#version = version;
    this.#bytes = 0;
    return this.#snapshotOf(policy, state);
  }

  #isDue({ every, bytes, when }: SnapshotSettings, state: unknown, version: number): boolean {
    const events = version - this.#version;
    if (every !== undefined && events >= every) return true;
    if (bytes !== undefined && this.#bytes >= bytes) return true;
    if (when === undefined) return false;
    try {
      const verdict: unknown = when(state, { version, events });
      if (!isStrayPromise(verdict)) return verdict === true;
      this.#warn('snapshot.when returned a promise, which is never true; let it answer at once', undefined);
    } catch (error) {
      this.#warn('no snapshot, because snapshot.when threw', error);
    }
    return false;
  }

  #snapshotOf({ version, keep }: SnapshotSettings, state: unknown): DueSnapshot | undefined {
    const { definition, id } = this.#cell;
    try {
      const text = encodeJson(state, `${definition.name}/${id}: the state`);
      if (text !== undefined) return { state: text, schemaVersion: version, keep };
    } catch (error) {
      this.#warn('no snapshot, because the state is no JSON value', error);
    }
    return undefined;
  }

  #warn(what: string, error: unknown): void {
    const { definition, id, log } = this.#cell;
    log.warn(`${definition.name}/${id}: ${what}`, { error });
  }
}

/** A snapshot alone, of a state that the journal holds already. */
export class SnapshotEntry implements JournalEntry {
  readonly stream: Stream;
  readonly baseVersion: number;
  readonly snapshot: DueSnapshot;
  readonly events = '';
  readonly eventCount = 0;
  readonly commandId = 'snapshot';
  readonly commandHash = 0;
  readonly eventlessOutcome = undefined;
  readonly #failed: (error: Parameters<JournalEntry['failed']>[0]) => void;

  /** @param failed called when it was not written; the handle of the stream is void then */
  constructor(
    stream: Stream,
    version: number,
    snapshot: DueSnapshot,
    failed: (error: Parameters<JournalEntry['failed']>[0]) => void,
  ) {
    this.stream = stream;
    this.baseVersion = version;
    this.snapshot = snapshot;
    this.#failed = failed;
  }

  committed(): void {
    // Nobody waits for it.
  }

  failed(error: Parameters<JournalEntry['failed']>[0]): void {
    this.#failed(error);
  }
}
