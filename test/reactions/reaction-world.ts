/**
 * Reactions and dead letters over a journal in memory, with a clock that stands still and aggregates that are
 * played. A life can end at any write of records, and the next one begins on what is durable.
 */
import { DeadLetters } from '../../src/system/dead-letters.js';
import type { EncodedEvent } from '../../src/journal/event-codec.js';
import type { Journal, RecordChange } from '../../src/journal/journal.js';
import { MemoryJournal } from '../../src/journal/memory-journal.js';
import type { Logger } from '../../src/core/logger.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import type { RuntimeAggregate } from '../../src/actors/aggregate-definition.js';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import type { RuntimeReaction } from '../../src/reactions/reaction-definition.js';
import { Reactions } from '../../src/reactions/reactions.js';
import { EventWindow } from '../../src/streams/event-window.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import { turns, until } from '../support/turns.js';
import { FakePost, FakeWorld } from './fake-post.js';

/** Whoever reactions send to; its commands are played by the fake post. */
export const target = aggregate({
  name: 'target',
  initialState: () => ({}),
  events: {},
  commands: { do: { handle: () => undefined }, check: { handle: () => undefined } },
}) as unknown as RuntimeAggregate;

/** When a life ends by itself: at its n-th write of records, before that is durable or after. */
export interface CrashPoint {
  readonly write: number;
  readonly moment: 'before' | 'after';
}

/** What stays when a life ends. */
export class Disk {
  readonly journal: MemoryJournal;
  readonly world = new FakeWorld();
  #commands = 0;

  constructor(fault?: (commit: number, moment: 'before' | 'after' | 'head') => Error | undefined) {
    this.journal = new MemoryJournal({ fault });
  }

  /** Commits events, one commit for each call. */
  async append(aggregateName: string, id: string, ...events: { type: string; data?: unknown }[]): Promise<void> {
    const { stream } = await this.journal.load(aggregateName, id, undefined);
    const commandId = `c${(this.#commands += 1)}`;
    const { head } = stream;
    const texts = events.map(({ type, data = null }, i) => {
      const version = head + i + 1;
      const correlation = `corr-${commandId}`;
      const encoded: EncodedEvent = [
        ...([
          aggregateName,
          id,
          version,
          type,
          1,
          data,
          commandId,
          correlation,
          null,
          { by: 'test' },
          null,
          null,
        ] as const),
      ];
      return JSON.stringify(encoded);
    });
    await new Promise<void>((resolve, reject) => {
      this.journal.append({
        stream,
        baseVersion: head,
        events: texts.join(','),
        eventCount: events.length,
        commandId,
        commandHash: 0,
        eventlessOutcome: undefined,
        snapshot: undefined,
        committed: () => resolve(),
        failed: reject,
      });
    });
  }
}

/** One run of the system on a disk. */
export class Life {
  readonly clock = new ManualClock();
  readonly post: FakePost;
  readonly deadLetters: DeadLetters;
  readonly reactions: Reactions;
  readonly window: EventWindow;
  readonly log: string[] = [];
  /** Changes of records, as they became durable in this life. */
  readonly written: (readonly RecordChange[])[] = [];
  /** Writes of records so far. */
  writes = 0;
  reads = 0;
  dead = false;

  readonly disk: Disk;

  private constructor(
    disk: Disk,
    definitions: readonly RuntimeReaction[],
    crash: CrashPoint | undefined,
    options: { readonly present?: (event: RecordedEvent) => RecordedEvent; readonly windowEvents?: number },
  ) {
    this.disk = disk;
    this.post = new FakePost(disk.world);
    const journal = this.#mortal(disk.journal, crash);
    this.window = new EventWindow(disk.journal.head, {
      maxEvents: options.windowEvents ?? 16_384,
      maxCharacters: 16_000_000,
    });
    const log = this.#logger();
    const shared = { journal, clock: this.clock, log, post: this.post };
    let ids = 0;
    this.deadLetters = new DeadLetters({
      ...shared,
      facts: { tell: () => undefined },
      newId: () => `id-${(ids += 1)}`,
    });
    this.reactions = new Reactions({
      ...shared,
      definitions,
      window: this.window,
      deadLetters: this.deadLetters,
      askTimeoutMs: 5_000,
      present: (event) => {
        // The handlers of a dead life are called no more.
        if (this.dead) throw new Error('this life is over');
        return options.present === undefined ? event : options.present(event);
      },
    });
    this.deadLetters.parkedBy(this.reactions);
    disk.journal.onCommit = (committed) => {
      if (!this.dead) this.window.add(committed);
    };
  }

  static async begin(
    disk: Disk,
    definitions: readonly RuntimeReaction[],
    crash?: CrashPoint,
    options: { readonly present?: (event: RecordedEvent) => RecordedEvent; readonly windowEvents?: number } = {},
  ): Promise<Life> {
    const life = new Life(disk, definitions, crash, options);
    // A life that ends while it begins never gets an answer.
    let begun = false;
    const beginning = (async () => {
      await life.deadLetters.start();
      await life.reactions.start();
      begun = true;
    })();
    await until(() => begun || life.dead, 'the start');
    if (begun) await beginning;
    return life;
  }

  /** Ends this life as kill -9 does: nothing of it is written, sent or heard any more. */
  kill(): void {
    this.dead = true;
    this.post.dead = true;
  }

  async stop(timeoutMs = 1_000): Promise<void> {
    await this.reactions.stop(timeoutMs);
    await this.deadLetters.stop();
  }

  get settled(): boolean {
    return this.reactions.isSettled(this.disk.journal.head);
  }

  /** Lets time pass until nothing is left to do. */
  async settle(): Promise<void> {
    for (let i = 0; i < 2_000; i += 1) {
      await turns();
      if (this.settled || this.dead) return;
      await this.clock.advance(50);
    }
    throw new Error(`not settled: ${JSON.stringify(this.reactions.metrics())}`);
  }

  /** Has the checkpoint written. */
  async checkpoint(): Promise<void> {
    await this.clock.advance(250);
    await turns(8);
  }

  /** The durable checkpoint of a reaction. */
  async checkpointOf(name: string): Promise<number | undefined> {
    const records = await this.disk.journal.readRecords('reaction');
    return (records.find(({ key }) => key === name)?.value as { position: number } | undefined)?.position;
  }

  /** Keys of the targets of executed commands, in order. */
  get effects(): string[] {
    return this.disk.world.effects.map(({ targetId, type }) => `${type} ${targetId}`);
  }

  #mortal(journal: MemoryJournal, crash: CrashPoint | undefined): Journal {
    const never = new Promise<never>(() => undefined);
    return new Proxy<Journal>(journal, {
      get: (whole, name) => {
        if (name === 'writeRecords') {
          return async (changes: readonly RecordChange[]) => {
            if (this.dead) return never;
            this.writes += 1;
            const ends = this.writes === crash?.write;
            if (ends && crash?.moment === 'before') {
              this.kill();
              return never;
            }
            await whole.writeRecords(changes);
            if (this.dead) return never;
            this.written.push(changes);
            if (ends) {
              this.kill();
              return never;
            }
            return undefined;
          };
        }
        if (name === 'read') {
          return async (query: Parameters<Journal['read']>[0]) => {
            this.reads += 1;
            const page = await whole.read(query);
            return this.dead ? never : page;
          };
        }
        const member: unknown = Reflect.get(whole, name, whole);
        return typeof member === 'function' ? member.bind(whole) : member;
      },
    });
  }

  #logger(): Logger {
    const write =
      (level: string) =>
      (message: string): void => {
        this.log.push(`${level}: ${message}`);
      };
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }
}
