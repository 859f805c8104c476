/**
 * Checksums of the rows that the journal keeps, so that a byte that has changed is found before anybody believes it.
 *
 * SQLite checks its own structure, not what stands in it. Each checksum covers the place of its row too: an intact
 * text in the wrong place is as wrong as a broken one. CRC-32: finds every error of up to 32 bits in a row, and of
 * longer ones all but one in four billion; it is no protection against somebody who means it.
 */
import { crc32 } from 'node:zlib';
import { TroupeError } from '../core/troupe-error.js';
import type { StoredTimer } from './timer-change.js';

/** Of a page of events: its text, or the bytes of it, where it stands, and when it was committed. */
export function pageChecksum(
  firstPosition: number,
  lastPosition: number,
  recordedAt: number,
  body: string | Buffer,
): number {
  return crc32(body, crc32(`${firstPosition},${lastPosition},${recordedAt}`));
}

export function snapshotChecksum(stream: number, version: number, schemaVersion: number, state: string): number {
  return crc32(state, crc32(`${stream},${version},${schemaVersion}`));
}

/** Of a row of the index, for those who look for events: everything but the hashes. */
export function indexPagesChecksum(
  stream: number,
  firstVersion: number,
  lastVersion: number,
  firstPosition: number,
  pages: string,
): number {
  return crc32(pages, crc32(`${stream},${firstVersion},${lastVersion},${firstPosition}`));
}

/** Of a row of the index, for those who look for commands. */
export function indexHashesChecksum(stream: number, firstVersion: number, lastVersion: number, hashes: string): number {
  return crc32(hashes, crc32(`${stream},${firstVersion},${lastVersion}`));
}

/** Of the outcome of a command without events. */
export function outcomeChecksum(
  stream: number,
  seq: number,
  commandId: string,
  fingerprint: number,
  outcome: string,
): number {
  return crc32(outcome, crc32(commandId, crc32(`${stream},${seq},${fingerprint}`)));
}

export function recordChecksum(kind: string, key: string, value: string): number {
  return crc32(value, crc32(`${kind}\n${key}\n`));
}

export function timerChecksum({ owner, name, setting, wakeAt, body }: StoredTimer): number {
  return crc32(body, crc32(`${owner}\n${name}\n${setting}\n${wakeAt}\n`));
}

/** A row that is not as it was written; `what` names it, such as `the record reaction/deliver`. */
export function damaged(what: string, details: Readonly<Record<string, unknown>>): TroupeError {
  return new TroupeError(
    'TROUPE_JOURNAL_CORRUPT',
    `${what} is damaged: its checksum does not fit; restore a backup of the journal, or look with \`troupe verify\``,
    { details },
  );
}
