/**
 * Ids of the commands of one attempt: the same in each delivery of the event.
 *
 * Derived from event, reaction, target and type, and from how many of these were sent before, so that neither the
 * order among targets nor a `Promise.all` makes a difference. Hot path: a handler with one command needs no map.
 */
import { derivedCommandId } from '../core/ids.js';

export class CommandIds {
  readonly #reaction: string;
  readonly #eventId: string;
  /** The first command's id; the counts begin with the second. */
  #first: string | undefined;
  /** How many were sent, by the id of the first of them. */
  #counts: Map<string, number> | undefined;
  #made = 0;

  constructor(reaction: string, eventId: string) {
    this.#reaction = reaction;
    this.#eventId = eventId;
  }

  /** The id of the next command of this type to this target. */
  commandId(target: string, targetId: string, type: string): string {
    const id = this.#derived(target, targetId, type, 0);
    if (this.#first === undefined) {
      this.#first = id;
      return id;
    }
    this.#counts ??= new Map([[this.#first, 1]]);
    const nth = this.#counts.get(id) ?? 0;
    this.#counts.set(id, nth + 1);
    return nth === 0 ? id : this.#derived(target, targetId, type, nth);
  }

  /** An id for anything else. Ids of commands name a target where this one has nothing. */
  newId(): string {
    this.#made += 1;
    return `${this.#reaction}>#${this.#made - 1}<${this.#eventId}`;
  }

  #derived(target: string, targetId: string, type: string, nth: number): string {
    return derivedCommandId({ eventId: this.#eventId, reaction: this.#reaction, target, targetId, type, nth });
  }
}
