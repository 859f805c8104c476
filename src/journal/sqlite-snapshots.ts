/**
 * The newest snapshot that is fit for use. One that is damaged, or from an event that the journal does not have,
 * is passed over with a warning; one of an older schema version in silence, for that is what its number is for; of a
 * newer one, with one warning for all.
 */
import { snapshotChecksum } from './checksums.js';
import type { StoredSnapshot } from './journal.js';
import type { SqliteSession } from './sqlite-connection.js';

/** As the loading query answers it. */
export type SnapshotRow = readonly [version: number, schemaVersion: number, checksum: number, state: string];

const NEXT_OLDER = `
SELECT version, schema_version AS schemaVersion, checksum, state FROM snapshot
WHERE stream = ? AND version < ? AND schema_version = ? ORDER BY version DESC LIMIT 1`;

/** A snapshot, without what it holds. */
export interface SnapshotName {
  readonly stream: number;
  readonly aggregate: string;
  readonly id: string;
  readonly version: number;
  readonly schemaVersion: number;
}

const NAMES = `
SELECT stream, aggregate, aggregate_id AS id, version, schema_version AS schemaVersion
FROM snapshot JOIN stream USING (stream) ORDER BY stream, version`;

const ONE = 'SELECT checksum, state FROM snapshot WHERE stream = ? AND version = ?';

export class SqliteSnapshots {
  readonly #session: SqliteSession;
  readonly #warn: (message: string) => void;
  /** Newer versions of states that were warned of. */
  readonly #newer = new Set<string>();

  constructor(session: SqliteSession, warn: (message: string) => void) {
    this.#session = session;
    this.#warn = warn;
  }

  /** The newest usable one of an aggregate, starting with the newest of all. */
  async usable(
    of: { readonly aggregate: string; readonly id: string; readonly schemaVersion: number | undefined },
    stream: { readonly number: number; readonly version: number },
    newest: SnapshotRow | undefined,
  ): Promise<StoredSnapshot | undefined> {
    const { schemaVersion } = of;
    let row = newest;
    while (row !== undefined && schemaVersion !== undefined) {
      const [version, ofSchema, , state] = row;
      if (ofSchema === schemaVersion) {
        const fault = faultOf(row, stream);
        if (fault === undefined) return { version, state };
        this.#warn(`${of.aggregate}/${of.id}: the snapshot at version ${version} is passed over, ${fault}`);
      } else if (ofSchema > schemaVersion) this.#warnOfNewer(of.aggregate, ofSchema, schemaVersion);
      row = await this.#olderThan(stream.number, version, schemaVersion);
    }
    return undefined;
  }

  /** Once for each aggregate and version: after a step back to older code every instance has some. */
  #warnOfNewer(aggregate: string, found: number, known: number): void {
    const what = `${aggregate} ${found}`;
    if (this.#newer.has(what)) return;
    this.#newer.add(what);
    this.#warn(
      `${aggregate}: snapshots of version ${found} of the state are passed over, this code has version ${known}; recovery replays more events`,
    );
  }

  async #olderThan(stream: number, version: number, schemaVersion: number): Promise<SnapshotRow | undefined> {
    const row = await this.#session.get<{ version: number; schemaVersion: number; checksum: number; state: string }>(
      NEXT_OLDER,
      stream,
      version,
      schemaVersion,
    );
    return row === undefined ? undefined : [row.version, row.schemaVersion, row.checksum, row.state];
  }
}

function faultOf(
  [version, schemaVersion, checksum, state]: SnapshotRow,
  stream: { readonly number: number; readonly version: number },
): string | undefined {
  if (version > stream.version) return `for the journal has only ${stream.version} events of it`;
  if (snapshotChecksum(stream.number, version, schemaVersion, state) !== checksum)
    return 'for its checksum does not fit';
  return undefined;
}

/** Which snapshots there are. */
export function listSnapshots(session: SqliteSession): Promise<SnapshotName[]> {
  return session.all<SnapshotName>(NAMES);
}

/** The state of a snapshot as JSON text; undefined when it is not there any more, or damaged. */
export async function readSnapshot(
  session: SqliteSession,
  { stream, version, schemaVersion }: SnapshotName,
): Promise<string | undefined> {
  const row = await session.get<{ readonly checksum: number; readonly state: string }>(ONE, stream, version);
  if (row === undefined) return undefined;
  const { checksum, state } = row;
  return snapshotChecksum(stream, version, schemaVersion, state) === checksum ? state : undefined;
}
