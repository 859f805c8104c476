/**
 * The file: its tables, the public views, and the marks by which a journal is recognised.
 *
 * Events stand in pages, many to a row, because rows and index entries are what a commit costs. The views
 * `event_log` and `snapshot_log` are the public face (any `sqlite3` shell from 3.40 on reads them); the tables may
 * change with the format version. The schema is made in one transaction before the file becomes a WAL database,
 * so that its header always says what it is.
 */

/** `TROU` in ASCII; `file` and SQLite show it as the application id. */
export const APPLICATION_ID = 0x54524f55;

/** Version of the tables, in SQLite's `user_version`. Raise it with each change that an older release can't read. */
export const FORMAT_VERSION = 3;

const TABLES = `
-- Consecutive events: a JSON array of arrays, each in the layout of event-codec.ts. Checksums: see checksums.ts.
CREATE TABLE event_page (
  first_position INTEGER PRIMARY KEY,
  last_position INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  body TEXT NOT NULL
);

-- The aggregates, by number.
CREATE TABLE stream (
  stream INTEGER PRIMARY KEY,
  aggregate TEXT NOT NULL,
  aggregate_id TEXT NOT NULL,
  UNIQUE (aggregate, aggregate_id)
);

-- Where the events of an aggregate are, up to the position in meta 'indexed_to', or for aggregates that a merge has come to
-- up to that in 'index_ahead' (index-reach.ts); behind it the pages speak for
-- themselves. pages: 'version,position,…' of the first event in each page; command_hashes: 'hash,…;…', by page.
CREATE TABLE stream_page (
  stream INTEGER NOT NULL,
  first_version INTEGER NOT NULL,
  last_version INTEGER NOT NULL,
  first_position INTEGER NOT NULL,
  pages TEXT NOT NULL,
  pages_checksum INTEGER NOT NULL,
  command_hashes TEXT NOT NULL,
  hashes_checksum INTEGER NOT NULL,
  PRIMARY KEY (stream, first_version)
) WITHOUT ROWID;

-- Outcomes of commands without events: rejections, and replies that rest on nothing new. The hash stands there twice,
-- because an aggregate that comes to life reads nothing else of them.
CREATE TABLE outcome (
  stream INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  command_hash INTEGER NOT NULL,
  hash_negated INTEGER NOT NULL,
  command_id TEXT NOT NULL,
  fingerprint INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (stream, seq)
) WITHOUT ROWID;

CREATE TABLE snapshot (
  stream INTEGER NOT NULL,
  version INTEGER NOT NULL,
  schema_version INTEGER NOT NULL,
  state TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (stream, version)
);

-- Small records of the runtime itself: checkpoints, dead letters, parked keys. value is JSON.
CREATE TABLE record (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- Durable timers: of sagas, of reminders. body is JSON.
CREATE TABLE timer (
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  setting TEXT NOT NULL,
  wake_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (owner, name)
) WITHOUT ROWID;
CREATE INDEX timer_wake ON timer (wake_at);

CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
`;

const VIEWS = `
-- The limit that limits nothing keeps SQLite from taking the event's text anew for each column: half the time.
CREATE VIEW event_log AS
SELECT
  position,
  event ->> 0 AS aggregate,
  event ->> 1 AS aggregate_id,
  event ->> 2 AS version,
  event ->> 3 AS type,
  event ->> 4 AS schema_version,
  event -> 5 AS data,
  coalesce(event ->> 10, (event ->> 0) || '/' || (event ->> 1) || '@' || (event ->> 2)) AS event_id,
  event ->> 6 AS command_id,
  event ->> 7 AS correlation_id,
  event ->> 8 AS causation_id,
  CASE event -> 9 WHEN 'null' THEN '{}' ELSE event -> 9 END AS metadata,
  recorded_at
FROM (
  SELECT page.first_position + slot.key AS position, page.recorded_at, slot.value AS event
  FROM event_page AS page, json_each(page.body) AS slot
  LIMIT -1
);

CREATE VIEW snapshot_log AS
SELECT stream.aggregate, stream.aggregate_id, snapshot.version, snapshot.state, snapshot.recorded_at
FROM snapshot JOIN stream USING (stream);
`;

/** Makes an empty journal; the identity is bound by the caller, for it comes from outside. */
export function createSchemaSql(identity: string, createdAt: number): string {
  return `
BEGIN IMMEDIATE;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FORMAT_VERSION};
${TABLES}
${VIEWS}
INSERT INTO meta (key, value) VALUES
  ('identity', ${quote(identity)}), ('created_at', ${Math.floor(createdAt)}), ('indexed_to', 0), ('indexed_to_negated', 0);
COMMIT;`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
