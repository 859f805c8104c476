/**
 * Committed events on a worker: they come here only while an actor is subscribed to `ctx.events`.
 *
 * Subscribers are isolated as those of `system.events` are: one that throws would end the thread.
 */
import type { Observable } from 'rxjs';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { CommittedEvents } from '../journal/journal.js';
import { EventWindow } from '../streams/event-window.js';
import { SafeObservable } from '../streams/safe-observable.js';
import { SafeSubject } from '../streams/safe-subject.js';

export class WorkerEvents {
  readonly #subject: SafeSubject<RecordedEvent>;
  readonly #window: EventWindow;
  readonly #wanted: (wanted: boolean) => void;
  readonly #events$: Observable<RecordedEvent>;
  #watchers = 0;

  /** @param wanted told when the first one subscribes and when the last one has left */
  constructor(head: number, log: Logger, wanted: (wanted: boolean) => void) {
    this.#subject = new SafeSubject(log, 'events');
    this.#window = new EventWindow(head);
    this.#wanted = wanted;
    const all$ = this.#subject.asObservable();
    this.#events$ = new SafeObservable(this.#subject, (subscriber) => {
      this.#watchers += 1;
      if (this.#watchers === 1) this.#wanted(true);
      const subscription = all$.subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        this.#watchers -= 1;
        if (this.#watchers === 0) this.#wanted(false);
      };
    });
  }

  get events$(): Observable<RecordedEvent> {
    return this.#events$;
  }

  /** Exceptions of subscribers since the start. */
  get errors(): number {
    return this.#subject.errors;
  }

  /** A commit, as the journal tells it. */
  committed(committed: CommittedEvents): void {
    this.#window.add(committed);
    const events = this.#window.partAfter(committed.firstPosition - 1);
    if (typeof events !== 'string') for (const event of events) this.#subject.next(event);
  }
}
