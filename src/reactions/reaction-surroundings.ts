/** What reactions need of the system that they run in. */
import type { Clock } from '../core/clock.js';
import type { Post } from '../core/envelope.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { Journal } from '../journal/journal.js';
import type { AttemptsElsewhere } from './distant-attempts.js';
import type { EventWindow } from '../streams/event-window.js';
import type { ParkedLetters } from './parked-letters.js';

export interface ReactionSurroundings {
  readonly journal: Journal;
  readonly window: EventWindow;
  /** Where commands go; it takes them until the reactions have stopped. */
  readonly post: Post;
  readonly deadLetters: ParkedLetters;
  readonly clock: Clock;
  readonly log: Logger;
  readonly askTimeoutMs: number;
  /** An event in the shape of today's code; throws when there is no way to it. */
  readonly present: (event: RecordedEvent) => RecordedEvent;
  /** The threads that run handlers; undefined: this one does. */
  readonly elsewhere?: AttemptsElsewhere | undefined;
}
