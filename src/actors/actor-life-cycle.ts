/**
 * The life cycle of one instance: which life it is in, and what the control lane tells it to do.
 *
 *     new ─▶ starting ─▶ running ─▶ ending ─▶ halted ─▶ starting …      a restart: halt, wait, begin
 *              └──▶ failed ◀──┘       └─────▶ stopped                   for good
 *
 * `failed` waits for the supervisor's verdict. Mail is handled while running, and waits in every other phase.
 * Signals are obeyed also while a handler is under way, so that supervising never waits for a message; hooks
 * run as messages do, one at a time.
 */
import { RingBuffer } from '../core/ring-buffer.js';
import type { ActorCell } from './actor-cell.js';
import { ActorFamily } from './actor-family.js';
import { ActorLife } from './actor-life.js';
import type { ActorSurroundings } from './actor-surroundings.js';
import { DeathWatch } from './actor-watch.js';
import type { InstanceAddress, Ordinal, Signal, Supervised } from './signal.js';

type Phase = 'new' | 'starting' | 'running' | 'failed' | 'ending' | 'halted' | 'stopped';

/** What is handled like a message, but comes from the runtime. */
type Notice =
  | { readonly kind: 'terminated'; readonly of: InstanceAddress; readonly token: number }
  /** A piped promise was rejected. */
  | { readonly kind: 'failed'; readonly life: ActorLife; readonly error: unknown };

export class LifeCycle {
  readonly #cell: ActorCell;
  readonly #around: ActorSurroundings;
  /** The supervisor; undefined for the guardian. */
  readonly parent: InstanceAddress | undefined;
  /** Which of its children this is. */
  readonly ordinal: Ordinal;
  #phase: Phase = 'new';
  #life: ActorLife | undefined;
  #lives = 0;
  /** The next signal, and those behind it: there is rarely more than one. */
  #signal: Signal | undefined;
  #signals: RingBuffer<Signal> | undefined;
  #notices: RingBuffer<Notice> | undefined;
  #watch: DeathWatch | undefined;
  /** While ending: whether for good, and whether the next life has been ordered already. */
  #forGood = false;
  #beginNext = false;
  #stopping: { readonly promise: Promise<void>; readonly over: () => void } | undefined;

  constructor(cell: ActorCell, around: ActorSurroundings, supervised: Supervised) {
    this.#cell = cell;
    this.#around = around;
    this.parent = supervised.by;
    this.ordinal = supervised.ordinal;
  }

  /** The life under way; undefined before the first one, between two, and after the last one. */
  get life(): ActorLife | undefined {
    return this.#life;
  }

  /** The children; undefined when the life ends, so that no more may be spawned. */
  get family(): ActorFamily | undefined {
    const life = this.#life;
    if (life === undefined || life.left) return undefined;
    if (life.family === undefined) {
      const { name, id, definition } = this.#cell;
      const escalate = (error: unknown): void => this.fail(error);
      life.family = new ActorFamily(this.#around, definition.options.children, escalate, { name, id });
    }
    return life.family;
  }

  get watch(): DeathWatch {
    if (this.#watch === undefined) {
      const self = { name: this.#cell.name, id: this.#cell.id };
      const { signals, onWatch } = this.#around;
      const noted = this.parent === undefined && onWatch !== undefined;
      this.#watch = new DeathWatch(self, signals, noted ? (of, stands) => onWatch(this.#cell, of, stands) : undefined);
    }
    return this.#watch;
  }

  /** The same, without making it. */
  get watchIfAny(): DeathWatch | undefined {
    return this.#watch;
  }

  /** Takes a signal; it is obeyed when the cell runs next. */
  take(signal: Signal): void {
    if (this.#phase === 'stopped') return;
    if (this.#signal === undefined && this.#signals === undefined) this.#signal = signal;
    else {
      this.#signals ??= new RingBuffer<Signal>();
      this.#signals.push(signal);
    }
    this.#cell.wake();
  }

  /** Stops for good; resolves when that has happened. */
  stop(): Promise<void> {
    if (this.#phase === 'stopped') return Promise.resolve();
    if (this.#stopping === undefined) {
      let over: () => void = () => undefined;
      const promise = new Promise<void>((resolve) => {
        over = resolve;
      });
      this.#stopping = { promise, over };
      this.take({ kind: 'stop' });
    }
    return this.#stopping.promise;
  }

  /** Ends at once, whatever is under way; for a system whose time to stop is up. */
  abandon(): void {
    if (this.#phase === 'stopped') return;
    this.#life?.leave();
    this.#cell.close();
    this.#cell.abandon();
    this.#finish();
  }

  /** Does one thing that the control lane asks for. False: there was none that could be done now. */
  attend(): boolean {
    const signal = this.#nextSignal();
    if (signal !== undefined) {
      this.#obey(signal);
      return true;
    }
    if (this.#phase === 'new') {
      this.#begin();
      return true;
    }
    if (this.#notices === undefined || this.#phase !== 'running' || this.#cell.occupied) return false;
    const notice = this.#notices.shift();
    if (notice === undefined) this.#notices = undefined;
    else this.#hear(notice);
    return notice !== undefined;
  }

  /** User code has thrown, or a child has failed and that can't be dealt with here. */
  fail(error: unknown): void {
    if (this.#phase !== 'running' && this.#phase !== 'starting') {
      const { name, id } = this.#cell;
      this.#around.facts.tell({ kind: 'failed-again', name, id, error });
      return;
    }
    const resumable = this.#phase === 'running';
    this.#phase = 'failed';
    this.#cell.shut();
    this.#report({ kind: 'child-failed', child: this.ordinal, life: this.#lives, error, resumable });
  }

  /** A piped promise was rejected: a throw, as soon as it is its turn. */
  failLater(life: ActorLife, error: unknown): void {
    this.#notify({ kind: 'failed', life, error });
  }

  #nextSignal(): Signal | undefined {
    const first = this.#signal ?? this.#signals?.shift();
    this.#signal = undefined;
    if (this.#signals?.size === 0) this.#signals = undefined;
    return first;
  }

  #obey(signal: Signal): void {
    switch (signal.kind) {
      case 'stop':
        return this.#end(true);
      case 'halt':
      case 'begin':
      case 'resume':
        return signal.child === this.ordinal ? this.#obeySupervisor(signal.kind) : undefined;
      case 'child-failed':
      case 'child-ended':
        return this.#life?.family?.take(signal);
      case 'watch':
        return this.watch.add(signal.watcher, signal.token);
      case 'unwatch':
        return this.#watch?.remove(signal.watcher, signal.token);
      case 'terminated':
        if (this.#watch?.expects(signal.of, signal.token) === true) this.#notify(signal);
        return;
    }
  }

  #obeySupervisor(order: 'halt' | 'begin' | 'resume'): void {
    if (order === 'halt') this.#end(false);
    else if (order === 'resume') this.#resume();
    else if (this.#phase === 'halted') this.#begin();
    else if (this.#phase === 'ending') this.#beginNext = true;
  }

  #notify(notice: Notice): void {
    this.#notices ??= new RingBuffer<Notice>();
    this.#notices.push(notice);
    this.#cell.wake();
  }

  #hear(notice: Notice): void {
    const life = this.#life;
    if (life === undefined) return;
    if (notice.kind === 'failed') {
      if (notice.life === life) this.fail(notice.error);
      return;
    }
    if (this.#watch?.takeNotice(notice.of, notice.token) !== true) return;
    const { terminated } = this.#cell.definition.options;
    if (terminated === undefined) return;
    const { context } = this.#cell;
    this.#cell.occupy(() => terminated(life.state, context.refTo(notice.of), context));
  }

  #begin(): void {
    this.#phase = 'starting';
    this.#beginNext = false;
    this.#lives += 1;
    const { definition, context } = this.#cell;
    const { initialState, started, receive } = definition.options;
    if (this.#lives > 1) {
      const { name, id } = this.#cell;
      this.#around.facts.tell({ kind: 'restarted', name, id, life: this.#lives });
    }
    const life = new ActorLife(this.#lives, receive);
    this.#life = life;
    const running = (): void => {
      life.started = true;
      // Told to end, or failed through a child, while it started.
      if (this.#phase !== 'starting') return;
      this.#phase = 'running';
      this.#cell.open();
    };
    this.#cell.occupy(
      () => initialState(this.#cell.args(), context),
      (state) => {
        life.state = state;
        if (this.#phase !== 'starting') return;
        if (started === undefined) running();
        else this.#cell.occupy(() => started(state, context), running);
      },
    );
  }

  #resume(): void {
    if (this.#phase !== 'failed') return;
    this.#phase = 'running';
    this.#life?.family?.resumeEscalated();
    this.#cell.open();
  }

  #end(forGood: boolean): void {
    switch (this.#phase) {
      case 'stopped':
        return;
      case 'ending':
        if (!forGood || this.#forGood) return;
        this.#forGood = true;
        return this.#cell.close();
      case 'new':
      case 'halted':
        if (!forGood) return;
        this.#cell.close();
        return this.#finish();
      case 'starting':
      case 'running':
      case 'failed':
        this.#phase = 'ending';
        this.#forGood = forGood;
        this.#cell.shut();
        if (forGood) this.#cell.close();
        if (this.#life !== undefined && this.#canEndNow(this.#life)) {
          this.#life.leave();
          this.#cell.cancelTimers();
          return this.#lifeOver();
        }
        void this.#endLife();
    }
  }

  /** Whether there is nothing to wait for, which is so for most. */
  #canEndNow(life: ActorLife): boolean {
    if (this.#cell.occupied || (life.family !== undefined && life.family.size > 0)) return false;
    return !life.started || this.#cell.definition.options.stopped === undefined;
  }

  /** What is under way finishes, children first end, then `stopped`; nothing here rejects, and each wait is limited. */
  async #endLife(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    life.leave();
    this.#cell.cancelTimers();
    await this.#cell.released();
    // Children end with this life, and that is no news for the next one.
    for (const child of life.family?.addresses() ?? []) this.#watch?.unwatch(child);
    await life.family?.stopAll();
    const { stopped } = this.#cell.definition.options;
    if (life.started && stopped !== undefined && this.#phase === 'ending') {
      this.#cell.occupy(() => stopped(life.state, this.#cell.context));
      await this.#cell.released();
    }
    if (this.#phase === 'ending') this.#lifeOver();
  }

  #lifeOver(): void {
    this.#life = undefined;
    if (this.#forGood) return this.#finish();
    this.#cell.unstashAll();
    this.#phase = 'halted';
    if (this.#beginNext) this.#begin();
  }

  #finish(): void {
    this.#phase = 'stopped';
    // Whoever began to watch behind the order to stop has to hear of the end too.
    for (let signal = this.#nextSignal(); signal !== undefined; signal = this.#nextSignal()) {
      if (signal.kind === 'watch' || signal.kind === 'unwatch') this.#obey(signal);
    }
    this.#notices = undefined;
    this.#around.ended(this.#cell);
    this.#watch?.end();
    this.#report({ kind: 'child-ended', child: this.ordinal });
    this.#stopping?.over();
  }

  #report(report: Extract<Signal, { kind: 'child-failed' | 'child-ended' }>): void {
    this.#around.signals.signal(this.parent, report);
  }
}
