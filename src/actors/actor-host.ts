/**
 * All living plain actors of one thread, of every definition.
 *
 * Mail comes in through `deliver`, the control lane through `signal`; both find their instance by name and id.
 * Top-level actors are children of the guardian, whose last resort is to stop the one that failed. Who asks for
 * an instance that isn't there is told so. Hot path: two lookups for a message to another instance than the last one; bench
 * suites `mailbox` and `threads`.
 */
import type { Envelope } from '../core/envelope.js';
import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import { HandlingMark } from '../core/handling-mark.js';
import { TroupeError } from '../core/troupe-error.js';
import { showValue } from '../core/show-value.js';
import { ActorCell } from './actor-cell.js';
import type { RuntimeActor } from './actor-definition.js';
import { ActorFamily } from './actor-family.js';
import { idInUse, notRunning } from './actor-fault.js';
import type { ActorFacilities, ActorSurroundings, MessageSource, SpawnRequest } from './actor-surroundings.js';
import { checkMessage } from './message-check.js';
import { copyMessage } from './message-copy.js';
import {
  type InstanceAddress,
  type Ordinal,
  sameInstance,
  type Signal,
  type SignalPost,
  type Supervised,
} from './signal.js';
import type { SupervisionSettings } from './supervision-options.js';
import { failEnvelope } from './undeliverable.js';

/** What the host of a thread's actors is given by the system. */
export interface ActorHostOptions extends ActorFacilities {
  /** How failing top-level actors are dealt with; undefined: their guardian is on another thread. */
  readonly supervision: SupervisionSettings | undefined;
  /** Where signals go. Default: to the instances of this host, and to its own guardian. */
  readonly signals?: SignalPost;
  /** Told of each instance that begins and ends here, so that other threads can find it. Default: nobody. */
  readonly onStage?: ((name: string, id: string, living: boolean) => void) | undefined;
  /** Whether an instance of that name and id is known to live on another thread. Default: there is none. */
  readonly livesElsewhere?: ((name: string, id: string) => boolean) | undefined;
  /**
   * Told of whom top-level actors watch, their own children excepted: that has to outlive this thread. Default: nobody.
   */
  readonly onWatch?: ((watcher: Ordinal, of: InstanceAddress, stands: boolean) => void) | undefined;
  /** Called whenever the last busy actor has come to rest. */
  readonly onIdle?: () => void;
}

export class ActorHost implements SignalPost {
  readonly #options: ActorHostOptions;
  readonly #around: ActorSurroundings;
  readonly #cells = new Map<string, Map<string, ActorCell>>();
  readonly #guardian: ActorFamily | undefined;
  /** Who got the last message: bursts go to few instances. */
  #last: ActorCell | undefined;
  /** Who was looked for in vain: bursts to another thread ask for the same one again and again. */
  #missedName = '';
  #missedId = '';
  #size = 0;
  #active = 0;
  #lastOrdinal = 0;
  #closing = false;
  #emptied: (() => void) | undefined;

  constructor(options: ActorHostOptions) {
    this.#options = options;
    this.#around = this.#surroundings();
    if (options.supervision === undefined) return;
    this.#guardian = new ActorFamily(this.#around, options.supervision, (_, child) => {
      this.#around.signals.signal(child, { kind: 'stop' });
    });
  }

  /** Living instances, children included. */
  get size(): number {
    return this.#size;
  }

  /** Whether any actor has a message to handle, handles one, starts, restarts or stops; timers don't count. */
  get busy(): boolean {
    return this.#active > 0;
  }

  /** Living instances by definition. */
  counts(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.#cells, ([name, cells]) => [name, cells.size]));
  }

  /** Messages that wait or are being handled, by definition; none for those at rest. */
  waiting(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const [name, cells] of this.#cells) {
      let count = 0;
      for (const cell of cells.values()) count += cell.waiting + (cell.current === undefined ? 0 : 1);
      if (count > 0) counts[name] = count;
    }
    return counts;
  }

  find(name: string, id: string): ActorCell | undefined {
    if (id === this.#missedId && name === this.#missedName) return undefined;
    const cell = this.#cells.get(name)?.get(id);
    if (cell === undefined) {
      this.#missedName = name;
      this.#missedId = id;
    }
    return cell;
  }

  /**
   * Starts a top-level actor. It begins with its next turn; messages sent meanwhile wait.
   *
   * @param options.ordinal by which it reports to a guardian on another thread
   * @param options.anew whether it has lived before, on a thread that was lost
   * @throws TROUPE_INVALID_OPTIONS for the id of a living instance, or one that is no text
   * @throws TROUPE_UNKNOWN_ACTOR when the definition isn't in the cast
   * @throws TROUPE_NOT_SERIALIZABLE when the arguments can't be sent
   * @throws TROUPE_SYSTEM_STOPPED when the system stops
   */
  spawn(
    definition: RuntimeActor,
    options: {
      readonly id?: string;
      readonly args?: unknown;
      readonly ordinal?: Ordinal;
      readonly anew?: boolean;
    } = {},
  ): ActorCell {
    const { id, args, anew = false } = options;
    return this.#spawn({ definition, id, args, anew }, (address) => ({
      by: undefined,
      ordinal: options.ordinal ?? this.#guardian?.add(address) ?? this.#around.newOrdinal(),
    }));
  }

  /** Never throws: what can't be delivered goes back to its sender, or to the dead letters. */
  deliver(envelope: Envelope): void {
    const last = this.#last;
    const isLast = last?.id === envelope.targetId && last.name === envelope.target && !last.closed;
    const cell = isLast ? last : this.find(envelope.target, envelope.targetId);
    this.#last = cell;
    if (cell !== undefined) return cell.accept(envelope);
    const address = { name: envelope.target, id: envelope.targetId };
    failEnvelope(this.#options.deadLetters, envelope, notRunning(address));
  }

  /** Takes back a message that still waits for room. */
  withdraw(envelope: Envelope): boolean {
    return this.find(envelope.target, envelope.targetId)?.withdraw(envelope) ?? false;
  }

  /** The value as the instance may have it: references in it send in its name. For values that `checkMessage` says hold one. */
  bind(name: string, id: string, value: unknown): unknown {
    const source = this.find(name, id)?.context;
    return copyMessage(value, (ref) => this.#options.makeRef(ref.name, ref.id, source));
  }

  /** A signal for an instance of this thread, or without an address for the guardian. */
  signal(to: InstanceAddress | undefined, signal: Signal): void {
    if (to === undefined) {
      if (signal.kind === 'child-failed' || signal.kind === 'child-ended') this.#guardian?.take(signal);
      return;
    }
    const cell = this.find(to.name, to.id);
    const renewed = signal.kind === 'watch' && signal.again === true;
    // A child that was lost is gone, whoever has its id by now.
    if (cell !== undefined && !(renewed && cell.cycle.parent !== undefined)) cell.cycle.take(signal);
    else if (signal.kind === 'watch') {
      // Gone, or never there: the watch ends as soon as it begins.
      this.#around.signals.signal(signal.watcher, { kind: 'terminated', of: to, token: signal.token });
    }
  }

  /**
   * The signals by which the watches of this thread's actors are renewed that had led to a worker now lost. To be sent
   * when it is sure that they find whoever has begun anew there.
   */
  renewWatches(isLost: (address: InstanceAddress) => boolean): { of: InstanceAddress; signal: Signal }[] {
    const renewals: { of: InstanceAddress; signal: Signal }[] = [];
    for (const cells of this.#cells.values()) {
      for (const { cycle } of cells.values()) {
        const watch = cycle.watchIfAny;
        if (watch === undefined) continue;
        watch.forgetWatchers(isLost);
        renewals.push(...watch.renewals(isLost));
      }
    }
    return renewals;
  }

  /** Stops an instance and its children; resolves when they have stopped, at once if there is none. */
  async stop(name: string, id: string): Promise<void> {
    await this.find(name, id)?.cycle.stop();
  }

  /**
   * Stops every actor, the last one first; resolves when none is left. What has not ended after `timeoutMs` is
   * abandoned, and everything not handled fails with TROUPE_SYSTEM_STOPPED.
   */
  async stopAll(timeoutMs: number): Promise<void> {
    this.#closing = true;
    this.#guardian?.close();
    if (this.#size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(timeoutMs, () => this.#abandonAll());
      this.#emptied = () => {
        timer.cancel();
        resolve();
      };
      for (const { cycle } of this.#topLevel()) cycle.take({ kind: 'stop' });
    });
  }

  /** The last one first. */
  #topLevel(): ActorCell[] {
    const all = [...this.#cells.values()].flatMap((cells) => [...cells.values()]);
    return all
      .filter(({ cycle }) => cycle.parent === undefined)
      .sort((one, other) => other.cycle.ordinal - one.cycle.ordinal);
  }

  #abandonAll(): void {
    // What ends leaves the maps, which a loop over them can bear.
    for (const cells of this.#cells.values()) {
      for (const cell of cells.values()) cell.cycle.abandon();
    }
  }

  #spawn(
    { definition, id, args, anew = false }: SpawnRequest,
    adopt: (child: InstanceAddress) => Supervised,
  ): ActorCell {
    const address = { name: nameOf(definition), id: id ?? this.#options.newId() };
    if (this.#closing)
      throw new TroupeError('TROUPE_SYSTEM_STOPPED', `${address.name}: the system stops, nothing is spawned any more`);
    if (this.#options.definition(address.name) !== definition) throw notInCast(address.name);
    if (!isGivenText(address.id)) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `${address.name}: option "id" is ${showValue(address.id)}; ${GIVEN_TEXT}`,
      );
    }
    const { livesElsewhere } = this.#options;
    if (this.find(address.name, address.id) !== undefined || livesElsewhere?.(address.name, address.id) === true) {
      throw idInUse(address);
    }
    checkMessage(args, `${address.name}/${address.id}: option "args"`);
    const cell = new ActorCell(this.#around, definition, address.id, { args, supervised: adopt(address) });
    let cells = this.#cells.get(address.name);
    if (cells === undefined) {
      cells = new Map();
      this.#cells.set(address.name, cells);
    }
    cells.set(address.id, cell);
    this.#missedName = '';
    this.#options.onStage?.(address.name, address.id, true);
    this.#options.facts.tell(
      anew
        ? { kind: 'restarted', ...address, life: 1 }
        : { kind: 'spawned', ...address, parent: cell.cycle.parent ?? null },
    );
    this.#size += 1;
    cell.wake();
    return cell;
  }

  #ended(cell: ActorCell): void {
    cell.retire();
    this.#cells.get(cell.name)?.delete(cell.id);
    this.#options.onStage?.(cell.name, cell.id, false);
    this.#options.facts.tell({ kind: 'stopped', name: cell.name, id: cell.id });
    this.#size -= 1;
    if (this.#size > 0) return;
    const emptied = this.#emptied;
    this.#emptied = undefined;
    emptied?.();
  }

  #sourceOf(receiver: unknown): MessageSource | undefined {
    if (receiver === undefined) return undefined;
    // Whoever sets the sender of a message gives a reference or an address.
    const { name, id } = receiver as InstanceAddress;
    return this.find(name, id)?.context;
  }

  #surroundings(): ActorSurroundings {
    const isClosing = (): boolean => this.#closing;
    const { onWatch } = this.#options;
    return {
      ...this.#options,
      mark: this.#options.mark ?? new HandlingMark(),
      onWatch:
        onWatch &&
        ((watcher, of, stands) => {
          const parent = this.find(of.name, of.id)?.cycle.parent;
          if (parent !== undefined && sameInstance(parent, watcher)) return false;
          onWatch(watcher.cycle.ordinal, of, stands);
          return true;
        }),
      signals: this.#options.signals ?? this,
      get closing() {
        return isClosing();
      },
      newOrdinal: () => {
        this.#lastOrdinal += 1;
        return this.#lastOrdinal;
      },
      spawn: (request, adopt) => this.#spawn(request, adopt),
      sourceOf: (receiver) => this.#sourceOf(receiver),
      activity: (change) => {
        this.#active += change;
        if (this.#active === 0) this.#options.onIdle?.();
      },
      ended: (cell) => this.#ended(cell),
    };
  }
}

function nameOf(definition: RuntimeActor): string {
  // JavaScript can pass anything; reading a field of an object as unknown is safe.
  const { kind, name } = Object(definition) as { readonly kind?: unknown; readonly name?: unknown };
  if (kind === 'actor' && typeof name === 'string') return name;
  throw new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `spawn(): give a definition made by actor(), not ${showValue(definition)}`,
  );
}

function notInCast(name: string): TroupeError {
  return new TroupeError(
    'TROUPE_UNKNOWN_ACTOR',
    `${name} is not the actor of that name in the cast; export its definition from the cast's module`,
    { details: { target: name } },
  );
}
