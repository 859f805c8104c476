/**
 * The keys of a reaction: which events wait for each other.
 *
 * A key is what `orderedBy` gives. When that throws, or gives nothing to order by, the event falls back on a key
 * of its aggregate instance, apart from the others, where its attempts fail until it is parked: the fault of one
 * event never stops the reaction. Such keys start with one `?`; those that users make never do.
 */
import { hashText } from '../core/fingerprint.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { type ReactionSettings, reaction } from './reaction-definition.js';

/** The default of `orderedBy`: events of one aggregate instance. Its keys can be looked up by the journal's index. */
const BY_INSTANCE = reaction({ name: 'any', on: { any: () => undefined } }).options.orderedBy;

const FALLBACK = '?';

export class EventKeys {
  /** Tells whether records of keys were made by another `orderedBy`; 0 for the default. */
  readonly ordering: number;
  readonly #orderedBy: (event: RecordedEvent) => unknown;
  readonly #present: (event: RecordedEvent) => RecordedEvent;
  readonly #reaction: string;

  constructor(name: string, settings: ReactionSettings, present: (event: RecordedEvent) => RecordedEvent) {
    this.#reaction = name;
    this.#orderedBy = settings.orderedBy;
    this.#present = present;
    this.ordering = settings.orderedBy === BY_INSTANCE ? 0 : hashText(String(settings.orderedBy)) || 1;
  }

  /** The key of an event; never throws. */
  of(event: RecordedEvent): string {
    if (this.ordering === 0) return instanceOf(event);
    try {
      return this.#given(event);
    } catch {
      return FALLBACK + instanceOf(event);
    }
  }

  /** @throws the reason why an event has fallen back on its key, if it still has one */
  check(key: string, event: RecordedEvent): void {
    if (isFallback(key)) this.#given(event);
  }

  /** Whether an event that waits in the journal is one of this key. */
  belongs(key: string, event: RecordedEvent): boolean {
    // When orderedBy has thrown in passing, nobody knows any more which events fell back. All of the instance are
    // taken; for those that didn't this is a redelivery, which changes nothing.
    return isFallback(key) || this.of(event) === key;
  }

  /** What the journal can select by its index. */
  selection(key: string): { readonly aggregate?: string; readonly id?: string } {
    if (this.ordering !== 0 && !isFallback(key)) return {};
    const instance = isFallback(key) ? key.slice(FALLBACK.length) : key;
    // Names of aggregates contain no slash.
    const slash = instance.indexOf('/');
    return { aggregate: instance.slice(0, slash), id: instance.slice(slash + 1) };
  }

  #given(event: RecordedEvent): string {
    const key = this.#orderedBy(this.#present(event));
    if (typeof key === 'string') return key.startsWith(FALLBACK) ? FALLBACK + key : key;
    if (typeof key === 'number' || typeof key === 'boolean' || typeof key === 'bigint') return String(key);
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `reaction ${this.#reaction}: orderedBy gave ${showValue(key)} for event ${event.type} at position ${event.position}; return a text`,
      { details: { reaction: this.#reaction, position: event.position, type: event.type } },
    );
  }
}

function instanceOf(event: RecordedEvent): string {
  return `${event.aggregate}/${event.aggregateId}`;
}

function isFallback(key: string): boolean {
  return key.startsWith(FALLBACK) && !key.startsWith(FALLBACK + FALLBACK);
}
