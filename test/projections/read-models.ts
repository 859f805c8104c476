/** A log, read models over it, and a folder of their own: what the tests of projections stand on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/core/clock.js';
import type { Logger } from '../../src/core/logger.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import type { RuntimeProjection } from '../../src/projections/projection-definition.js';
import { Projections } from '../../src/projections/projections.js';
import type { EventLog } from './event-log.js';

/** Waits that are seconds elsewhere take no time here: backoff, above all. */
export const hastyClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  setTimer: (delayMs, fire, background) => systemClock.setTimer(Math.min(delayMs, 2), fire, background),
};

export class LogLines implements Logger {
  readonly lines: { readonly level: string; readonly text: string }[] = [];

  debug(text: string): void {
    this.lines.push({ level: 'debug', text });
  }
  info(text: string): void {
    this.lines.push({ level: 'info', text });
  }
  warn(text: string): void {
    this.lines.push({ level: 'warn', text });
  }
  error(text: string): void {
    this.lines.push({ level: 'error', text });
  }

  matching(level: string, pattern: RegExp): string[] {
    return this.lines.filter((line) => line.level === level && pattern.test(line.text)).map((line) => line.text);
  }
}

export class ReadModels {
  readonly folder = mkdtempSync(join(tmpdir(), 'troupe-projections-'));
  readonly path = join(this.folder, 'shop.db.views');
  readonly log = new LogLines();
  readonly #open = new Set<Projections>();

  /** Starts projections over a log, on the file of this folder unless told otherwise. */
  async start(
    events: EventLog,
    definitions: readonly RuntimeProjection[],
    options: { readonly path?: string; readonly clock?: Clock } = {},
  ): Promise<Projections> {
    const { journal, window } = events;
    const { path: viewsPath = this.path, clock = systemClock } = options;
    const started = new Projections({ journal, window, definitions, viewsPath, clock, log: this.log });
    this.#open.add(started);
    await started.start();
    return started;
  }

  /** Starts, folds all there is, and stops again; gives the rows of each projection. */
  async fold(events: EventLog, definitions: readonly RuntimeProjection[], path = this.path): Promise<unknown[][]> {
    events.reopen();
    const started = await this.start(events, definitions, { path });
    await settled(started, events);
    const rows: unknown[][] = [];
    for (const definition of definitions) rows.push(await started.view(definition).find());
    await started.stop();
    return rows;
  }

  /** Asks the file itself, as somebody else's program would. */
  async ask<Row = Record<string, unknown>>(sql: string, ...params: (string | number)[]): Promise<Row[]> {
    const connection = await SqliteConnection.open(this.path, { mode: 'write' });
    try {
      return await connection.all<Row>(sql, ...params);
    } finally {
      await connection.close();
    }
  }

  /** Stops what runs, and removes the folder. */
  async close(): Promise<void> {
    for (const one of this.#open) await one.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Resolves when every projection is at the head, or stopped. */
export async function settled(projections: Projections, events: EventLog, withinMs = 50_000): Promise<void> {
  await eventually(
    () => projections.isSettled(events.head),
    withinMs,
    () => JSON.stringify(projections.metrics()),
  );
}

/** Resolves when the condition holds. */
export async function eventually(condition: () => boolean, withinMs = 50_000, state = () => ''): Promise<void> {
  const deadline = systemClock.monotonic() + withinMs;
  while (!condition()) {
    if (systemClock.monotonic() > deadline)
      throw new Error(`not within ${withinMs} ms: ${condition.toString()} ${state()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The error of a promise that has to reject. */
export async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string; cause?: unknown }> {
  try {
    await promise;
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('the promise was expected to reject');
}
