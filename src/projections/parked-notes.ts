/**
 * The events that a read model does without, as dead letters of reason `parked`: one for each event and build.
 *
 * A letter is durable before the rows pass its event. It belongs to the build that made it: when another one takes
 * its place, whose handlers may know better, the letters of the old one go.
 */
import type { DeadLetter } from '../core/dead-letter.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';

/** A letter to be kept: a dead letter without the time. */
export type ParkedNote = Omit<DeadLetter, 'at'> & { readonly position: number };

/** Who keeps these letters. */
export interface ParkingOffice {
  /** Keeps the letter; durable when the promise resolves. The same id is the same letter. */
  keep(note: ParkedNote): Promise<void>;
  drop(id: string): void;
  parkedOf(name: string): readonly DeadLetter[];
}

export class ParkedNotes {
  readonly #name: string;
  readonly #office: ParkingOffice;

  constructor(name: string, office: ParkingOffice) {
    this.#name = name;
    this.#office = office;
  }

  /** The letters of one build. */
  list(generation: number): readonly DeadLetter[] {
    const all = this.#office.parkedOf(this.#name);
    return all.length === 0 ? all : all.filter(({ id }) => generationOf(id) === generation);
  }

  park(generation: number, event: RecordedEvent, error: TroupeError): Promise<void> {
    const { position, type, aggregate, aggregateId, data } = event;
    const cause = error.cause instanceof Error ? { cause: error.cause.message } : {};
    return this.#office.keep({
      id: `parked>${this.#name}>${position}>${generation}`,
      reason: 'parked',
      target: { name: this.#name, id: `${aggregate}/${aggregateId}` },
      type,
      payload: data,
      error: { code: error.code, message: error.message, ...cause },
      position,
    });
  }

  /** Only these builds are left, each as far as its checkpoint: what lies behind that is decided anew. */
  retain(builds: readonly { readonly generation: number; readonly position: number }[]): void {
    for (const { id, position = 0 } of this.#office.parkedOf(this.#name)) {
      const build = builds.find(({ generation }) => generation === generationOf(id));
      if (build === undefined || position > build.position) this.#office.drop(id);
    }
  }
}

/** The last part of a letter's id. */
function generationOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('>') + 1));
}
