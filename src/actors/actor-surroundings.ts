/**
 * What an actor takes from the thread it lives on.
 *
 * Everything that leads to another instance goes through `post` (mail) and `signals` (the control lane), so that
 * an actor can't tell where the other one is.
 */
import type { Observable } from 'rxjs';
import type { DeadLetterSink } from '../core/dead-letter.js';
import type { EnvelopeFacts, Post } from '../core/envelope.js';
import type { Logger } from '../core/logger.js';
import type { HandlingMark } from '../core/handling-mark.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { ActorCell } from './actor-cell.js';
import type { ReminderPost } from '../timers/reminders.js';
import type { RuntimeActor } from './actor-definition.js';
import type { FamilySurroundings } from './actor-family.js';
import type { RuntimeRef } from './actor-ref.js';
import type { Dispatcher } from './dispatcher.js';
import type { InstanceAddress, Supervised } from './signal.js';

/** In whose name a reference sends: what its messages inherit at the moment they are sent. */
export interface MessageSource {
  readonly inherited: EnvelopeFacts | undefined;
}

/** Facilities of a thread that its actors use. */
export interface ActorFacilities extends Omit<FamilySurroundings, 'signals' | 'newOrdinal'> {
  readonly dispatcher: Dispatcher;
  /** Default: one that nobody reads. */
  readonly mark?: HandlingMark | undefined;
  readonly log: Logger;
  readonly post: Post;
  readonly deadLetters: DeadLetterSink;
  /** Committed events, live. */
  readonly events$: Observable<RecordedEvent>;
  /** Milliseconds that code of an actor gets when the actor has to end; then it is abandoned. */
  readonly stopTimeoutMs: number;
  newId(): string;
  /** A reference; with a source, its messages are sent in the name of that actor. */
  makeRef(name: string, id: string, source: MessageSource | undefined): RuntimeRef;
  /** The definition of that name, if the cast has one and it is an actor. */
  definition(name: string): RuntimeActor | undefined;
  /** Takes reminders; undefined where there is no journal to keep them. */
  readonly reminders?: ReminderPost | undefined;
  /** Runs an exported function on a pool thread; undefined as long as there are none. */
  readonly offload?: ((run: (input: never) => unknown, input: unknown) => Promise<unknown>) | undefined;
}

/** What to spawn. */
export interface SpawnRequest {
  readonly definition: RuntimeActor;
  readonly id: string | undefined;
  readonly args: unknown;
  /** Whether it has lived before, on a thread that was lost. */
  readonly anew?: boolean;
}

/** What cells need beyond the facilities: the other actors of the thread. */
export interface ActorSurroundings extends ActorFacilities, FamilySurroundings {
  readonly mark: HandlingMark;
  /** Told of the watches of top-level actors; see `OnWatch`. */
  readonly onWatch: ((watcher: ActorCell, of: InstanceAddress, stands: boolean) => boolean) | undefined;
  /** Starts a child; `adopt` is told its address and says who supervises it. */
  spawn(request: SpawnRequest, adopt: (child: InstanceAddress) => Supervised): ActorCell;
  /** In whose name the references in a message to this instance send; undefined for nobody, or one that is elsewhere. */
  sourceOf(receiver: unknown): MessageSource | undefined;
  /** Whether the system is stopping, which is then the reason of what fails. */
  readonly closing: boolean;
  /** One more actor has something to do, or one less. */
  activity(change: 1 | -1): void;
  /** An instance has ended for good. */
  ended(cell: ActorCell): void;
}
