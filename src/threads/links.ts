/**
 * All links of one thread, and which of them a message takes: the one to the thread where its target lives.
 *
 * Threads talk to each other directly; the main thread relays nothing.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { checkMessage } from '../actors/message-check.js';
import { type InstanceAddress, keyOf, type Signal, type SignalPost } from '../actors/signal.js';
import type { Envelope } from '../core/envelope.js';
import type { Suspects } from '../core/handling-mark.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { Births } from './births.js';
import type { PlainCell } from './arrivals.js';
import type { WirePlacement } from './frame.js';
import type { FrameCodec } from './frame-codec.js';
import { Link, type LinkLimits } from './link.js';
import type { Placement, ThreadIndex } from './placement.js';
import { TurnBatch } from './turn-batch.js';

/** From this size on a frame is moved and not copied: below, moving costs as much as it saves (64 KiB: 10 %, 1 MiB: 40 %). */
const MOVED_FRAME_BYTES = 65_536;

/** What the links of a thread need of it. */
export interface LinksSurroundings {
  readonly here: ThreadIndex;
  readonly placement: Placement;
  readonly births: Births;
  readonly codec: FrameCodec;
  readonly limits: LinkLimits;
  /** This thread's own instances. */
  readonly local: {
    deliver(envelope: Envelope): void;
    withdraw(envelope: Envelope): boolean;
    signal(to: InstanceAddress | undefined, signal: Signal): void;
    bind(name: string, id: string, value: unknown): unknown;
    /** The plain actor of that name and id, if it lives here. */
    nearby(name: string, id: string): PlainCell | undefined;
    /** A child of another thread has the id of one that lives here, where that id belongs: it is told to stop. */
    contested(name: string, id: string, thread: ThreadIndex): void;
    /** Signals to be sent when those that were lost have begun anew. */
    renewWatches(
      isLost: (address: InstanceAddress) => boolean,
    ): readonly { readonly of: InstanceAddress; readonly signal: Signal }[];
  };
  readonly isAggregate: (target: string) => boolean;
  /** Targets whose messages outlive a thread beside aggregates. */
  readonly isReaction: (target: string) => boolean;
  readonly newId: () => string;
  readonly undelivered: (envelope: Envelope, error: TroupeError) => void;
  /** See `LinkSurroundings`. */
  readonly quarantined: (envelope: Envelope, nth: number) => Envelope | undefined;
}

export class Links implements SignalPost {
  readonly #around: LinksSurroundings;
  /** By thread; there is none to this one. */
  readonly #links: (Link | undefined)[] = [];
  readonly #ports = new Map<ThreadIndex, MessagePort>();
  /** Instances that live here although their id hashes elsewhere, by key. */
  readonly #placed = new Map<string, WirePlacement>();
  /** What the other threads have not been told yet. */
  readonly #news = new TurnBatch<WirePlacement>((news) => this.#tell(news));
  #crossed = 0;

  constructor(around: LinksSurroundings) {
    this.#around = around;
    around.births.onNews(() => this.#learn());
  }

  /** Messages sent to other threads whose outcome is not known here yet. */
  get unfinished(): number {
    let count = 0;
    for (const link of this.#links) count += link?.unfinished ?? 0;
    return count;
  }

  /** Frames that have come or gone; as long as it stands still, nothing moves between threads. */
  get crossed(): number {
    return this.#crossed;
  }

  /** The way to a thread, or to its successor; nothing goes out before `open`. */
  connect(peer: ThreadIndex, port: MessagePort): void {
    this.#ports.get(peer)?.close();
    this.#ports.set(peer, port);
    const link = this.#link(peer);
    link.join();
    port.on('message', (bytes: Uint8Array) => {
      this.#crossed += 1;
      link.receive(bytes);
    });
    this.#around.births.forget();
    if (this.#placed.size === 0) return;
    link.place([...this.#placed.values()]);
    this.#around.births.told();
  }

  /** Sends what may have killed a thread to its successor, one at a time. */
  tryOut(peer: ThreadIndex): Promise<void> {
    return this.#link(peer).tryOut();
  }

  /** Everything may go there. */
  open(peer: ThreadIndex): void {
    this.#link(peer).open();
  }

  /** The thread shall come to rest: no more mail goes there until it is replaced. */
  pause(peer: ThreadIndex): void {
    this.#link(peer).pause();
  }

  /** What has no outcome yet, and gets none from what has come, fails with `error`. */
  end(error: TroupeError): void {
    for (const [peer, link] of this.#links.entries()) {
      if (link === undefined) continue;
      this.#takeLast(peer);
      link.end(error);
    }
  }

  /** A thread has died. What it had sent before is taken in first. */
  lost(peer: ThreadIndex, error: TroupeError, suspects: Suspects): void {
    this.#takeLast(peer);
    this.#ports.get(peer)?.close();
    this.#ports.delete(peer);
    const { placement, local } = this.#around;
    const renewals = local.renewWatches(({ name, id }) => placement.threadOf(name, id) === peer);
    placement.forget(peer);
    this.#link(peer).lost(error, suspects, this.#around.here);
    for (const { of, signal } of renewals) this.signal(of, signal);
  }

  /** An instance has come to life here, or ended: of those whose id hashes elsewhere all threads are told. */
  staged(name: string, id: string, living: boolean): void {
    const { here, placement, births } = this.#around;
    if (placement.homeOf(name, id) === here) return;
    const key = keyOf({ name, id });
    const known = this.#placed.get(key);
    if (living) {
      const birth = births.next();
      const news: WirePlacement = [name, id, birth, true];
      placement.place(name, id, here, birth);
      this.#placed.set(key, news);
      this.#news.add(news);
    } else if (known !== undefined) {
      placement.remove(name, id, known[2]);
      this.#placed.delete(key);
      this.#news.add([name, id, known[2], false]);
    }
  }

  /** Tells the other threads of the children born since; called before anything leaves this thread that could speak of one. */
  announce(): void {
    this.#news.flush();
  }

  #tell(news: readonly WirePlacement[]): void {
    for (const link of this.#links) link?.place(news);
    this.#around.births.told();
  }

  /** Takes in what other threads have told, and leaves the rest of what they have sent to its turn. */
  #learn(): void {
    for (const peer of this.#ports.keys()) {
      this.#takeIn(peer, (link, frame) => link.learn(frame));
    }
  }

  /** Sends what has gathered. */
  flush(): void {
    for (const link of this.#links) link?.flush();
  }

  /** Closes all ways; nothing keeps the thread alive. */
  close(): void {
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }

  /** Whether an instance would be looked for on this thread. */
  isHere({ name, id }: InstanceAddress): boolean {
    return this.#around.placement.threadOf(name, id) === this.#around.here;
  }

  /** Whether an instance is known to live on another thread, although its id would not lead there. */
  livesElsewhere(name: string, id: string): boolean {
    const { here, placement } = this.#around;
    const thread = placement.placedOf(name, id);
    return thread !== undefined && thread !== here;
  }

  /** False: the target lives here. */
  deliver(envelope: Envelope): boolean {
    const thread = this.#around.placement.threadOf(envelope.target, envelope.targetId);
    if (thread === this.#around.here) return false;
    this.#link(thread).send(envelope);
    return true;
  }

  /** Takes a message to another thread than the one its target and id hash to. */
  deliverTo(thread: ThreadIndex, envelope: Envelope): void {
    this.#link(thread).send(envelope);
  }

  /** Undefined: the target lives here. */
  withdraw(envelope: Envelope): boolean | undefined {
    const thread = this.#around.placement.threadOf(envelope.target, envelope.targetId);
    return thread === this.#around.here ? undefined : this.#link(thread).withdraw(envelope);
  }

  /** Signals without an address are for the guardian of this thread, under which its top-level actors live. */
  signal(to: InstanceAddress | undefined, signal: Signal): void {
    const thread = to === undefined ? this.#around.here : this.#around.placement.threadOf(to.name, to.id);
    if (thread === this.#around.here) this.#around.local.signal(to, signal);
    else this.#link(thread).signal(to, signal);
  }

  /** Takes in what a thread has sent and what has not been looked at yet. */
  #takeLast(peer: ThreadIndex): void {
    this.#takeIn(peer, (link, frame) => link.receive(frame));
    this.#link(peer).read();
  }

  #takeIn(peer: ThreadIndex, take: (link: Link, frame: Uint8Array) => void): void {
    const port = this.#ports.get(peer);
    if (port === undefined) return;
    for (let one = receiveMessageOnPort(port); one !== undefined; one = receiveMessageOnPort(port)) {
      this.#crossed += 1;
      // Only links post to these ports.
      take(this.#link(peer), one.message as Uint8Array);
    }
  }

  #link(peer: ThreadIndex): Link {
    const known = this.#links[peer];
    if (known !== undefined) return known;
    const { here, codec, limits, local, isAggregate, isReaction, newId, placement, undelivered, quarantined } =
      this.#around;
    const link: Link = new Link(
      {
        peer,
        codec,
        post: (frame) => {
          // Not only here: whatever goes to one thread may be handed on to any other.
          this.announce();
          this.#crossed += 1;
          const port = this.#ports.get(peer);
          if (frame.byteLength < MOVED_FRAME_BYTES) port?.postMessage(frame);
          // The codec gives each frame a buffer of its own.
          else port?.postMessage(frame, [frame.buffer as ArrayBuffer]);
        },
        bound: ({ name, id }, value) => {
          // Only messages of plain actors hold references; what the runtime sends to others has classes of its own.
          if (isAggregate(name) || isReaction(name)) return value;
          return checkMessage(value, '') ? local.bind(name, id, value) : value;
        },
        nearby: (name, id) => local.nearby(name, id),
        arrived: (envelope) => local.deliver(envelope),
        signalled: (to, signal) => local.signal(to, signal),
        withdraw: (envelope) => local.withdraw(envelope),
        placed: (name, id, birth, lives) => {
          if (!lives) placement.remove(name, id, birth);
          else if (placement.homeOf(name, id) !== here || local.nearby(name, id) === undefined)
            placement.place(name, id, peer, birth);
          else {
            link.signal({ name, id }, { kind: 'stop' });
            local.contested(name, id, peer);
          }
        },
        survives: (envelope) => isAggregate(envelope.target) || isReaction(envelope.target),
        undelivered,
        quarantined,
        name: (envelope) => {
          if (envelope.commandId === undefined && isAggregate(envelope.target)) envelope.assignedId ??= newId();
        },
      },
      limits,
      false,
    );
    this.#links[peer] = link;
    return link;
  }
}
