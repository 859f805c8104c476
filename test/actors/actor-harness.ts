/**
 * A host of actors without a system: post, references and dead letters that only do what the laws need.
 *
 * Time stands still (ManualClock), randomness is 0, and everything that was dropped or logged is kept for looking at.
 */
import { Subject } from 'rxjs';
import type { ActorDefinition, RuntimeActor } from '../../src/actors/actor-definition.js';
import { ActorHost, type ActorHostOptions } from '../../src/actors/actor-host.js';
import type { ActorRef } from '../../src/actors/actor-ref.js';
import type { MessageSource } from '../../src/actors/actor-surroundings.js';
import { Dispatcher } from '../../src/actors/dispatcher.js';
import { checkMessage } from '../../src/actors/message-check.js';
import { priorityOf } from '../../src/actors/message-priority.js';
import { RoutedRef } from '../../src/actors/routed-ref.js';
import { readSupervision, SUPERVISION_KEYS, type SupervisionOptions } from '../../src/actors/supervision-options.js';
import { toDeadLetters } from '../../src/actors/undeliverable.js';
import type { DeadLetter, DeadLetterSink } from '../../src/core/dead-letter.js';
import { Deadlines } from '../../src/core/deadlines.js';
import { Envelope, type EnvelopeFacts, type Post } from '../../src/core/envelope.js';
import { OptionReader } from '../../src/core/option-reader.js';
import { Facts } from '../../src/core/facts.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { TroupeError } from '../../src/core/troupe-error.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';

export interface HarnessOptions {
  readonly supervision?: SupervisionOptions;
  readonly host?: Partial<ActorHostOptions>;
}

type AnyActor = ActorDefinition<string, never, never, object> | RuntimeActor;

export class ActorHarness {
  readonly clock = new ManualClock();
  readonly letters: DeadLetter[] = [];
  readonly logged: string[] = [];
  readonly events$ = new Subject<RecordedEvent>();
  readonly host: ActorHost;
  readonly post: Post;
  readonly #definitions = new Map<string, RuntimeActor>();
  readonly #deadlines = new Deadlines(this.clock);
  #ids = 0;
  readonly #deliver = (envelope: Envelope): void => this.host.deliver(envelope);

  constructor(definitions: readonly AnyActor[], options: HarnessOptions = {}) {
    for (const definition of definitions) this.#definitions.set(definition.name, definition);
    const write = (message: string): void => void this.logged.push(message);
    const deadLetters: DeadLetterSink = {
      add: (letter) => this.#keep(letter),
      remove: () => undefined,
    };
    this.post = {
      closed: false,
      address: (target, id, type, payload, facts, sink) =>
        this.#address(target, id, type, payload, sink === undefined ? facts : { ...facts, sink }),
      deliver: this.#deliver,
    };
    this.host = new ActorHost({
      dispatcher: new Dispatcher(this.clock),
      post: this.post,
      deadLetters,
      facts: new Facts({ debug: write, info: write, warn: write, error: write }),
      clock: this.clock,
      log: { debug: write, info: write, warn: write, error: write },
      random: () => 0,
      newId: () => `id-${(this.#ids += 1)}`,
      events$: this.events$,
      stopTimeoutMs: 5_000,
      supervision: readSupervision(new OptionReader('harness', options.supervision ?? {}, SUPERVISION_KEYS)),
      definition: (name) => this.#definitions.get(name),
      makeRef: (name, id, source) => this.#ref(name, id, source),
      ...options.host,
    });
  }

  /** Starts a top-level actor and returns its reference, before it has begun. */
  spawn<D extends RuntimeActor>(definition: D, id: string, args?: unknown): ActorRef<D> {
    this.host.spawn(definition, { id, args });
    return this.ref(definition, id);
  }

  ref<D extends RuntimeActor>(definition: D, id: string): ActorRef<D> {
    return this.#ref(definition.name, id, undefined) as unknown as ActorRef<D>;
  }

  /** Everything that can happen without time has happened. */
  async settled(): Promise<void> {
    await this.clock.advance(0);
  }

  /** Dead letters as `reason type`, in order. */
  get dropped(): string[] {
    return this.letters.map(({ reason, type }) => `${reason} ${type}`);
  }

  #ref(name: string, id: string, source: MessageSource | undefined): RoutedRef {
    return new RoutedRef(
      {
        post: this.post,
        deadlines: this.#deadlines,
        askTimeoutMs: 60_000,
        isQuery: () => false,
        // A test that listens to the post wants all mail to go by post.
        nearby: (target, targetId) =>
          this.post.deliver === this.#deliver ? this.host.find(target, targetId) : undefined,
        stop: (target, targetId) => this.host.stop(target, targetId),
        withdraw: (envelope) => this.host.withdraw(envelope),
        undelivered: (envelope, error) =>
          toDeadLetters({ add: (letter) => this.#keep(letter), remove: () => undefined }, envelope, error),
      },
      name,
      id,
      source,
    );
  }

  #keep(letter: Omit<DeadLetter, 'id' | 'at'>): DeadLetter {
    const kept = { id: 'letter', ...letter, at: this.clock.now() };
    this.letters.push(kept);
    return kept;
  }

  #address(target: string, id: string, type: string, payload: unknown, facts: EnvelopeFacts | undefined): Envelope {
    const definition = this.#definitions.get(target);
    if (definition === undefined) throw new TroupeError('TROUPE_UNKNOWN_ACTOR', `no ${target}`);
    if (!definition.options.receive.has(type)) throw new TroupeError('TROUPE_UNKNOWN_MESSAGE', `no ${type}`);
    const bound = checkMessage(payload, `${target}/${id}: ${type}`) ? this.host.bind(target, id, payload) : payload;
    const priority = priorityOf(definition, type, facts?.priority);
    return new Envelope(target, id, type, bound, priority === 0 ? facts : { ...facts, priority });
  }
}

/** The code of what a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}
