/** Numbers of sagas for `metrics()`: who is where, and how many have come and gone since the start of the system. */
import type { SagaStatus } from './saga-ref.js';
import { nameIn } from './saga-records.js';

/** Numbers of one saga definition. */
export interface SagaNumbers {
  readonly name: string;
  /** Start events up to here have started their sagas. */
  readonly position: number;
  /** Positions from there to the head. */
  readonly lag: number;
  /** At work, or about to be. */
  readonly running: number;
  readonly waiting: number;
  readonly sleeping: number;
  readonly compensating: number;
  /** A person has to look at them. */
  readonly parked: number;
  /** Since the start of the system, as the three that follow. */
  readonly started: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
}

type Counts = { started: number; done: number; failed: number; cancelled: number };

/** How far the starts of a definition are. */
type Progress = Pick<SagaNumbers, 'position' | 'lag'>;

export class SagaCounts {
  readonly #counts = new Map<string, Counts>();

  add(name: string, what: keyof Counts): void {
    this.#of(name)[what] += 1;
  }

  /** What is known before anybody is counted who lives. */
  tally(names: Iterable<string>, progress: (name: string) => Progress): SagaTally {
    return new SagaTally(
      Array.from(names, (name) => {
        const zero = { running: 0, waiting: 0, sleeping: 0, compensating: 0, parked: 0 };
        return { name, ...progress(name), ...zero, ...this.#of(name) };
      }),
    );
  }

  #of(name: string): Counts {
    let counts = this.#counts.get(name);
    if (counts === undefined) {
      counts = { started: 0, done: 0, failed: 0, cancelled: 0 };
      this.#counts.set(name, counts);
    }
    return counts;
  }
}

/** Counts those who live, by state. */
export class SagaTally {
  readonly #numbers: ReadonlyMap<string, { -readonly [Key in keyof SagaNumbers]: SagaNumbers[Key] }>;

  constructor(numbers: readonly SagaNumbers[]) {
    this.#numbers = new Map(numbers.map((one) => [one.name, { ...one }]));
  }

  /** Sagas of one definition in one state. */
  count(name: string, state: SagaStatus['state'], many = 1): void {
    const one = this.#numbers.get(name);
    if (one === undefined) return;
    if (state === 'waiting' || state === 'sleeping' || state === 'compensating' || state === 'parked')
      one[state] += many;
    else one.running += many;
  }

  countKey(key: string, state: SagaStatus['state']): void {
    this.count(nameIn(key), state);
  }

  get numbers(): SagaNumbers[] {
    return [...this.#numbers.values()];
  }
}
