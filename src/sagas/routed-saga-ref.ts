/** The handle behind `SagaRef`: a name and an id; it holds no run, so that it stays true wherever that is. */
import type { Clock, Timer } from '../core/clock.js';
import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import { readMetadata } from '../core/metadata.js';
import { OptionReader } from '../core/option-reader.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { SagaStatus } from './saga-ref.js';
import type { Sagas } from './sagas.js';

export class RoutedSagaRef {
  readonly name: string;
  readonly id: string;
  readonly #sagas: Sagas;
  readonly #clock: Clock;

  constructor(sagas: Sagas, clock: Clock, name: string, id: string) {
    this.#sagas = sagas;
    this.#clock = clock;
    this.name = name;
    this.id = id;
  }

  // The bodies of async functions turn what the caller sees at once into rejections.
  async start(input?: unknown, options: unknown = {}): Promise<boolean> {
    const where = `saga ${this.#key()}: start`;
    const given = new OptionReader(where, options, ['correlationId', 'metadata']);
    const correlationId = given.value('correlationId');
    if (correlationId !== undefined && !isGivenText(correlationId)) {
      throw given.refusal('correlationId', GIVEN_TEXT);
    }
    const metadata = given.value('metadata');
    return this.#sagas.startByHand(this.name, this.id, input, {
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(metadata === undefined ? {} : { metadata: readMetadata(metadata, `${where}: options.metadata`) }),
    });
  }

  async result(options: unknown = {}): Promise<unknown> {
    const key = this.#key();
    const given = new OptionReader(`saga ${key}: result`, options, ['timeout']);
    const timeoutMs = given.durationMs('timeout', Infinity, { infinite: true });
    if (timeoutMs === Infinity) return this.#sagas.result(this.name, this.id);
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#clock.setTimer(timeoutMs, () => {
        const text = `saga ${key} has not ended within ${timeoutMs} ms; status() tells where it is`;
        reject(new TroupeError('TROUPE_ASK_TIMEOUT', text, { details: { timeoutMs } }));
      });
    });
    try {
      return await Promise.race([this.#sagas.result(this.name, this.id), late]);
    } finally {
      timer?.cancel();
    }
  }

  async status(): Promise<SagaStatus> {
    this.#key();
    return this.#sagas.status(this.name, this.id);
  }

  async cancel(reason: unknown = 'no reason given'): Promise<void> {
    this.#key();
    return this.#sagas.cancel(this.name, this.id, typeof reason === 'string' ? reason : showValue(reason));
  }

  toString(): string {
    return `${this.name}/${this.id}`;
  }

  /** JavaScript may pass anything as id. */
  #key(): string {
    const id: unknown = this.id;
    if (isGivenText(id)) return `${this.name}/${id}`;
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `saga ${this.name}: the id is ${showValue(id)}; ${GIVEN_TEXT}`);
  }
}
