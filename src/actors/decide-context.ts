/** The context of one command's handler: gathers what it emits, and knows whether it has refused. */
import { suggestion } from '../core/did-you-mean.js';
import type { Envelope } from '../core/envelope.js';
import type { Logger } from '../core/logger.js';
import { formatIssues, validateSync } from '../core/schema.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { TimerChange } from '../journal/timer-change.js';
import { reminderName, reminderOwner, reminderTimer } from '../timers/reminder.js';
import type { ReminderTiming } from '../timers/reminder-timing.js';
import type { AggregateContext, CommandFacts } from './aggregate-context.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { type StagedEvent, stageEvent } from './stage-event.js';

/** What a context takes from the instance it belongs to. */
export interface DecideSurroundings {
  readonly definition: RuntimeAggregate;
  readonly id: string;
  /** What its events have in common in the journal (`encodeStream`), kept where one instance decides many. */
  readonly streamText?: string | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
  now(): number;
  newId(): string;
}

const NOTHING: readonly StagedEvent[] = [];
const NO_METADATA: Readonly<Record<string, unknown>> = Object.freeze({});

export class DecideContext implements AggregateContext {
  readonly version: number;
  /** Reminders that are set and taken away, in order. */
  readonly timers: TimerChange[] = [];
  /** The refusal that `reject` has thrown. */
  rejection: TroupeError | undefined;
  readonly #around: DecideSurroundings;
  readonly #commandId: string;
  readonly #envelope: Envelope;
  #staged: StagedEvent[] | undefined;
  #done = false;

  constructor(around: DecideSurroundings, version: number, commandId: string, envelope: Envelope) {
    this.#around = around;
    this.version = version;
    this.#commandId = commandId;
    this.#envelope = envelope;
  }

  /** What has been emitted so far. */
  get staged(): readonly StagedEvent[] {
    return this.#staged ?? NOTHING;
  }

  get id(): string {
    return this.#around.id;
  }

  get command(): CommandFacts {
    const { correlationId, causationId, metadata } = this.#envelope;
    const id = this.#commandId;
    return { id, correlationId: correlationId ?? id, causationId, metadata: metadata ?? NO_METADATA };
  }

  get log(): Logger {
    return this.#around.log;
  }

  get signal(): AbortSignal {
    return this.#around.signal;
  }

  // Fields with arrow functions would cost a closure each; handlers call these on the context or destructured never.
  emit(type: string, data: unknown): void {
    if (this.#done) throw this.#tooLate(`event ${type} was emitted`);
    const event = stageEvent(this.#around.definition, this.#around.id, type, data);
    // Most commands emit one: an array that grows has room for seventeen at once.
    if (this.#staged === undefined) this.#staged = [event];
    else this.#staged.push(event);
  }

  reject(reason: string, message?: string): never {
    const { definition, id } = this.#around;
    // JavaScript may pass anything, and the reason goes into the journal.
    if (typeof reason !== 'string' || reason === '') {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `${definition.name}/${id}: ctx.reject was given ${showValue(reason)} as reason; give a text that is not empty`,
      );
    }
    this.rejection = new TroupeError('TROUPE_REJECTED', `${definition.name}/${id}: ${message ?? reason}`, {
      reason,
      details: { aggregate: definition.name, id },
    });
    throw this.rejection;
  }

  remind(name: string, type: string, input: unknown, timing: ReminderTiming): void {
    if (this.#done) throw this.#tooLate(`reminder ${name} was set`);
    this.#checkCommand(type, input);
    const { definition, id } = this.#around;
    const { correlationId = this.#commandId, metadata } = this.#envelope;
    const request = {
      target: definition.name,
      targetId: id,
      name,
      type,
      payload: input,
      timing,
      correlationId,
      metadata,
    };
    this.timers.push({ kind: 'set', timer: reminderTimer(request, this.now(), this.newId()) });
  }

  forget(name: string): void {
    if (this.#done) throw this.#tooLate(`reminder ${name} was taken away`);
    const { definition, id } = this.#around;
    const known = reminderName({ target: definition.name, targetId: id, name });
    this.timers.push({ kind: 'cleared', owner: reminderOwner(definition.name, id), name: known });
  }

  now(): number {
    return this.#around.now();
  }

  newId(): string {
    return this.#around.newId();
  }

  /** The handler has returned: what comes now is a floating promise's, and too late. */
  close(): void {
    this.#done = true;
  }

  #checkCommand(type: string, input: unknown): void {
    const { definition, id } = this.#around;
    const where = `${definition.name}/${id}: ctx.remind`;
    const { commands } = definition.options;
    // JavaScript may pass anything.
    const given: unknown = type;
    const command = commands.get(type);
    if (command === undefined) {
      throw new TroupeError(
        'TROUPE_UNKNOWN_MESSAGE',
        `${where}: there is no command ${showValue(given)}${suggestion(String(given), commands.keys())}`,
        { details: { target: definition.name, id, type: showValue(given) } },
      );
    }
    if (command.schema === undefined) return;
    const { issues } = validateSync(command.schema, input, () => `${definition.name}: schema of command ${type}`);
    if (issues === undefined) return;
    throw new TroupeError(
      'TROUPE_INVALID_MESSAGE',
      `${where}: the input of ${type} does not pass its schema: ${formatIssues(issues)}`,
      { details: { target: definition.name, id, type } },
    );
  }

  #tooLate(what: string): TroupeError {
    const { definition, id } = this.#around;
    return new TroupeError(
      'TROUPE_INVALID_EVENT',
      `${definition.name}/${id}: ${what} after the handler had returned; await what the handler starts`,
    );
  }
}
