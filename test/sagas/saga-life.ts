/**
 * Sagas over a journal in memory, with a clock that stands still and aggregates that are played. A life can end at
 * any write of records or delivery of a command, and the next one begins on what is durable.
 */
import { DeadLetters } from '../../src/system/dead-letters.js';
import type { Envelope } from '../../src/core/envelope.js';
import type { Journal } from '../../src/journal/journal.js';
import { TimerService } from '../../src/timers/timer-service.js';
import { EventWindow } from '../../src/streams/event-window.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import type { RuntimeSaga } from '../../src/sagas/saga-definition.js';
import { RoutedSagaRef } from '../../src/sagas/routed-saga-ref.js';
import { Sagas } from '../../src/sagas/sagas.js';
import { turns, until } from '../support/turns.js';
import { FakePost } from '../reactions/fake-post.js';
import { Disk, target } from '../reactions/reaction-world.js';
import { silent } from './saga-world.js';

export { Disk, target };

/** When a life ends by itself. */
export interface CrashPoint {
  /** Of writes of records, and of commands, the n-th. */
  readonly at: number;
  /** Before it is durable, or has been handled; or after. */
  readonly moment: 'before' | 'after';
}

/** A post office that counts, and may end the life. */
class MortalPost extends FakePost {
  onDeliver: (deliver: () => void) => void = (deliver) => deliver();

  override deliver(envelope: Envelope): void {
    this.onDeliver(() => super.deliver(envelope));
  }
}

export class SagaLife {
  readonly disk: Disk;
  readonly clock: ManualClock;
  readonly post: MortalPost;
  readonly letters: DeadLetters;
  readonly sagas: Sagas;
  readonly timers: TimerService;
  /** Writes of records and deliveries of commands so far. */
  points = 0;
  dead = false;
  /** Resolves when the life ends by a crash. */
  readonly death: Promise<{ readonly state: string }>;
  #die!: (value: { readonly state: string }) => void;
  readonly #crash: CrashPoint | undefined;

  private constructor(disk: Disk, definitions: readonly RuntimeSaga[], crash: CrashPoint | undefined, nowMs: number) {
    this.disk = disk;
    this.death = new Promise((resolve) => {
      this.#die = resolve;
    });
    this.#crash = crash;
    this.clock = new ManualClock(nowMs);
    this.post = new MortalPost(disk.world);
    this.post.onDeliver = (deliver) => {
      if (this.dead) return;
      if (this.#dies('before')) return;
      deliver();
      if (this.#crash?.moment === 'after' && this.points === this.#crash.at)
        queueMicrotask(() => queueMicrotask(() => this.kill()));
    };
    const journal = this.#mortal();
    const window = new EventWindow(disk.journal.head);
    const shared = { journal, clock: this.clock, log: silent, post: this.post };
    let ids = 0;
    this.letters = new DeadLetters({ ...shared, facts: { tell: () => undefined }, newId: () => `id-${(ids += 1)}` });
    this.timers = new TimerService(shared);
    this.sagas = new Sagas({
      ...shared,
      definitions,
      window,
      timers: this.timers,
      deadLetters: this.letters,
      askTimeoutMs: 5_000,
      present: (event) => {
        if (this.dead) throw new Error('this life is over');
        return event;
      },
    });
    this.letters.parkedBy(this.sagas);
    disk.journal.onCommit = (committed) => {
      if (!this.dead) window.add(committed);
    };
  }

  /** Begins a life on what is durable, some time after the last one. */
  static async begin(
    disk: Disk,
    definitions: readonly RuntimeSaga[],
    options: { readonly crash?: CrashPoint; readonly nowMs?: number } = {},
  ): Promise<SagaLife> {
    const life = new SagaLife(disk, definitions, options.crash, options.nowMs ?? Date.UTC(2020, 0, 1));
    // A life that ends while it begins never gets an answer.
    let begun = false;
    let failure: unknown;
    (async () => {
      await life.letters.start();
      await life.sagas.start();
      await life.timers.start();
      begun = true;
    })().catch((error: unknown) => {
      failure = error;
    });
    await until(() => begun || life.dead || failure !== undefined, 'the start');
    if (failure !== undefined && !life.dead) throw failure;
    return life;
  }

  ref(definition: RuntimeSaga, id: string): RoutedSagaRef {
    return new RoutedSagaRef(this.sagas, this.clock, definition.name, id);
  }

  /** Ends this life as kill -9 does: nothing of it is written, sent or heard any more. */
  kill(): void {
    this.dead = true;
    this.post.dead = true;
    this.#die({ state: 'dead' });
  }

  async stop(): Promise<void> {
    await this.sagas.stop(1_000);
    await this.timers.stop();
    await this.letters.stop();
  }

  get settled(): boolean {
    return this.timers.idle && this.sagas.isSettled(this.disk.journal.head);
  }

  /** Lets time pass until nothing is at work, or the life is over. */
  async settle(): Promise<void> {
    for (let i = 0; i < 2_000; i += 1) {
      await turns();
      if (this.dead || this.settled) return;
      await this.clock.advance(50);
    }
    throw new Error(`not settled: ${JSON.stringify(this.sagas.metrics())}`);
  }

  /** What has been done outside, each once for its command, in order. */
  get effects(): string[] {
    return this.disk.world.effects.map(({ targetId, type }) => `${type} ${targetId}`);
  }

  /** Counts one more point; true: the life ends at it. */
  #dies(moment: 'before' | 'after'): boolean {
    this.points += 1;
    if (this.#crash?.at !== this.points || this.#crash.moment !== moment) return false;
    this.kill();
    return true;
  }

  #mortal(): Journal {
    const never = new Promise<never>(() => undefined);
    return new Proxy<Journal>(this.disk.journal, {
      get: (whole, name) => {
        if (name === 'writeRecords') {
          return async (...args: Parameters<Journal['writeRecords']>) => {
            if (this.dead || this.#dies('before')) return never;
            const point = this.points;
            await whole.writeRecords(...args);
            if (this.#crash?.at === point && this.#crash.moment === 'after') this.kill();
            return this.dead ? never : undefined;
          };
        }
        const member: unknown = Reflect.get(whole, name, whole);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (this.dead) return never;
          const answer: unknown = await member.apply(whole, args);
          return this.dead ? never : answer;
        };
      },
      set: (whole, name, value) => Reflect.set(whole, name, value, whole),
    });
  }
}
