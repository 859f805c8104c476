/**
 * Ids of the commands of one attempt: the same in each delivery of the event.
 *
 * Derived from event, reaction, target and type, and from how many of these were sent before, so that neither the
 * order among targets nor a `Promise.all` makes a difference. Hot path: the ids of targets are short texts, cheaper
 * to count by than the ids made of them, and a handler with one command of a kind needs no map.
 */
import { derivedCommandId } from '../core/ids.js';

/** Commands of one type to instances of one definition. */
interface Kind {
  readonly target: string;
  readonly type: string;
  /** The first target's id; the counts begin with the second command. */
  readonly first: string;
  /** How many were sent, by id of the target. */
  counts: Map<string, number> | undefined;
}

export class CommandIds {
  readonly #reaction: string;
  readonly #eventId: string;
  readonly #kinds: Kind[] = [];
  #made = 0;

  constructor(reaction: string, eventId: string) {
    this.#reaction = reaction;
    this.#eventId = eventId;
  }

  /** The id of the next command of this type to this target. */
  commandId(target: string, targetId: string, type: string): string {
    const nth = this.#count(target, targetId, type);
    return derivedCommandId({ eventId: this.#eventId, reaction: this.#reaction, target, targetId, type, nth });
  }

  /** An id for anything else. Ids of commands name a target where this one has nothing. */
  newId(): string {
    this.#made += 1;
    return `${this.#reaction}>#${this.#made - 1}<${this.#eventId}`;
  }

  /** How many were sent before. */
  #count(target: string, targetId: string, type: string): number {
    for (const kind of this.#kinds) {
      if (kind.target !== target || kind.type !== type) continue;
      kind.counts ??= new Map([[kind.first, 1]]);
      const before = kind.counts.get(targetId) ?? 0;
      kind.counts.set(targetId, before + 1);
      return before;
    }
    this.#kinds.push({ target, type, first: targetId, counts: undefined });
    return 0;
  }
}
