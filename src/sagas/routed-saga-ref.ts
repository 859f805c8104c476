/** The handle behind `SagaRef`: a name and an id; it holds no run, so that it stays true wherever that is. */
import { parseDuration } from '../core/duration.js';
import type { Clock, Timer } from '../core/clock.js';
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
  async start(input?: unknown, options?: unknown): Promise<boolean> {
    const where = `saga ${this.#key()}: start`;
    const given = new OptionReader(where, options ?? {}, ['correlationId', 'metadata']);
    const correlationId = given.value('correlationId');
    if (correlationId !== undefined && (typeof correlationId !== 'string' || correlationId === '')) {
      throw given.refusal('correlationId', 'give a text that is not empty');
    }
    const metadata = given.value('metadata');
    return this.#sagas.startByHand(this.name, this.id, input, {
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(metadata === undefined ? {} : { metadata: readMetadata(metadata, `${where}: options.metadata`) }),
    });
  }

  async result(options: { readonly timeout?: unknown } = {}): Promise<unknown> {
    const key = this.#key();
    if (options.timeout === undefined) return this.#sagas.result(this.name, this.id);
    const timeoutMs = parseDuration(options.timeout, `saga ${key}: options.timeout`);
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
    if (typeof id === 'string' && id !== '') return `${this.name}/${id}`;
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `saga ${this.name}: the id is ${showValue(id)}; give a text`);
  }
}
