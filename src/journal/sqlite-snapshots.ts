/**
 * The newest snapshot that is fit for use. One that is damaged, or from an event that the journal does not have,
 * is passed over with a warning; one of another schema version in silence, for that is what its number is for.
 */
import { crc32 } from 'node:zlib';
import type { StoredSnapshot } from './journal.js';
import type { SqliteSession } from './sqlite-connection.js';

/** As the loading query answers it. */
export type SnapshotRow = readonly [version: number, schemaVersion: number, checksum: number, state: string];

const NEXT_OLDER = `
SELECT version, schema_version AS schemaVersion, checksum, state FROM snapshot
WHERE stream = ? AND version < ? AND schema_version = ? ORDER BY version DESC LIMIT 1`;

export class SqliteSnapshots {
  readonly #session: SqliteSession;
  readonly #warn: (message: string) => void;

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
      const [version, ofSchema, checksum, state] = row;
      if (ofSchema === schemaVersion) {
        const fault = this.#faultOf(version, checksum, state, stream.version);
        if (fault === undefined) return { version, state };
        this.#warn(`${of.aggregate}/${of.id}: the snapshot at version ${version} is passed over, ${fault}`);
      }
      row = await this.#olderThan(stream.number, version, schemaVersion);
    }
    return undefined;
  }

  #faultOf(version: number, checksum: number, state: string, head: number): string | undefined {
    if (version > head) return `for the journal has only ${head} events of it`;
    if (crc32(state) !== checksum) return 'for its checksum does not fit its text';
    return undefined;
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
