/**
 * The context of a run: turns what user code asks for into steps, and gives it time, chance and ids.
 *
 * Mistakes that the caller can see are found before the step has a number, so that a replay finds them at the same
 * place. The typed interface is `SagaContext`; types are erased here.
 */
import type { Addressable } from '../actors/actor-ref.js';
import { parseDuration } from '../core/duration.js';
import { hashText } from '../core/fingerprint.js';
import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import { checkJson } from '../core/json-value.js';
import type { LogFields, Logger } from '../core/logger.js';
import { readMetadata } from '../core/metadata.js';
import { OptionReader } from '../core/option-reader.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { safeLogger } from '../core/safe-logger.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { CommandStep } from './command-step.js';
import { FunctionStep } from './function-step.js';
import { askPolicy, ONCE, PERSISTENT, readRetry, type RetryPolicy } from './retry-policy.js';
import type { CommandFacts } from './saga-command.js';
import type { StepCall, StepOptions, WaitOptions } from './saga-context.js';
import type { RuntimeSaga } from './saga-definition.js';
import { ContinueAsNew } from './run-end.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { SagaRun } from './saga-run.js';
import type { Step, StepWork } from './step.js';
import { ChildStep, SleepStep, WaitStep } from './waiting-steps.js';

const TELL_OPTIONS = ['id', 'timeout', 'priority', 'correlationId', 'metadata', 'retry'];
const ASK_OPTIONS = [...TELL_OPTIONS, 'receipt'];

export class RunContext {
  readonly #run: SagaRun;
  readonly #around: RunSurroundings;
  readonly log: Logger;
  #randoms = 0;
  #ids = 0;

  constructor(run: SagaRun, around: RunSurroundings) {
    this.#run = run;
    this.#around = around;
    const log = safeLogger(around.log, { facts: { saga: run.key } });
    const write =
      (level: keyof Logger) =>
      (message: string, fields?: LogFields): void => {
        if (!run.replaying) log[level](message, fields);
      };
    this.log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }

  get id(): string {
    return this.#run.id;
  }

  get correlationId(): string {
    return this.#run.head.correlationId;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  tell(definition: Addressable, id: string, type: string, payload?: unknown, options?: unknown): void {
    this.#command('tell', definition, id, type, payload, options);
  }

  send(definition: Addressable, id: string, type: string, payload?: unknown, options?: unknown): Promise<unknown> {
    return this.#promise(() => this.#command('send', definition, id, type, payload, options));
  }

  ask(definition: Addressable, id: string, type: string, payload?: unknown, options?: unknown): Promise<unknown> {
    return this.#promise(() => this.#command('ask', definition, id, type, payload, options));
  }

  run(definition: RuntimeSaga, id: string, input?: unknown): Promise<unknown> {
    return this.#promise(() => {
      const link = this.#around.child(definition, id, input, this.#run);
      return this.#open(`run ${definition.name}/${id}`, new ChildStep(this.#run.steps, link));
    });
  }

  step(name: string, fn: (call: StepCall) => unknown, options: StepOptions = {}): Promise<unknown> {
    return this.#promise(() => {
      const label = `step ${this.#text(name, 'the name of a step')}`;
      const where = `${this.#run.key}: ${label}`;
      if (typeof fn !== 'function') throw refusal(`${where} is ${showValue(fn)}; give a function`);
      const given = new OptionReader(where, options, ['timeout', 'retry']);
      const timeoutMs = given.durationMs('timeout', Infinity, { infinite: true });
      const policy = readRetry(given.value('retry'), where) ?? ONCE;
      const id = this.#run.steps.nextId();
      return this.#open(
        label,
        new FunctionStep(this.#around.clock, this.#run.steps, { where, id, fn, timeoutMs, policy }),
      );
    });
  }

  sleep(duration: unknown): Promise<unknown> {
    return this.#promise(() => {
      const ms = parseDuration(duration, `${this.#run.key}: the duration of a sleep`);
      return this.#open('sleep', new SleepStep(this.#around, this.#run.steps, ms));
    });
  }

  waitFor(type: string, options: WaitOptions = {}): Promise<unknown> {
    return this.#promise(() => {
      const run = this.#run;
      const label = `wait for ${this.#text(type, 'the type of an event')}`;
      const where = `${run.key}: ${label}`;
      const given = new OptionReader(where, options, ['aggregateId', 'correlationId', 'where', 'timeout', 'from']);
      const plan = {
        where,
        type,
        aggregateId: optionalText(given, 'aggregateId'),
        correlationId: optionalText(given, 'correlationId'),
        // Called as WaitOptions says; here the event's type is erased.
        filter: given.optionalFunction('where', '(event) => boolean') as WaitOptions['where'],
        timeoutMs: given.durationMs('timeout', Infinity, { infinite: true }),
        after: given.oneOf('from', ['start', 'now'], 'start') === 'now' ? undefined : run.waitsBehind(type),
        searchedTo: run.searchedTo(),
        claim: (event: RecordedEvent) => run.returned.claim(event),
        concerns: (event: RecordedEvent) => run.concerns(event),
      };
      this.#refuseForeign(type, where);
      return this.#open(label, new WaitStep(this.#around, run.steps, plan));
    });
  }

  compensate(name: string, fn: () => unknown, options: { readonly retry?: unknown } = {}): void {
    const what = this.#text(name, 'the name of a compensation');
    const where = `${this.#run.key}: compensation ${what}`;
    if (typeof fn !== 'function') throw refusal(`${where} is ${showValue(fn)}; give a function`);
    const given = new OptionReader(where, options, ['retry']);
    const policy: RetryPolicy = readRetry(given.value('retry'), where) ?? PERSISTENT;
    this.#run.register({ name: what, fn, policy });
  }

  patched(name: string): boolean {
    return this.#run.patched(this.#text(name, 'the name of a patch'));
  }

  continueAsNew(input?: unknown): never {
    checkJson(input, `${this.#run.key}: the input to continue with`);
    // oxlint-disable-next-line typescript/only-throw-error -- no error: it only has to come through the user's code
    throw new ContinueAsNew(input);
  }

  now(): number {
    return this.#run.nowMs;
  }

  random(): number {
    const seed = `${this.#run.head.run}#r${this.#randoms}`;
    this.#randoms += 1;
    // 21 and 32 bits make the 53 of a double.
    return ((hashText(seed) >>> 11) * 2 ** 32 + (hashText(`${seed}'`) >>> 0)) / 2 ** 53;
  }

  newId(): string {
    this.#ids += 1;
    return this.#run.steps.idOf(`id${this.#ids}`);
  }

  #open(label: string, work: StepWork): Step {
    return this.#run.steps.open(label, work);
  }

  #command(
    how: 'ask' | 'tell' | 'send',
    definition: Addressable,
    id: string,
    type: string,
    payload: unknown,
    options: unknown = {},
  ): Step {
    const run = this.#run;
    run.admit();
    const target = nameOf(definition, run.key);
    const where = `${run.key}: ${how} ${target}/${id} ${type}`;
    const given = new OptionReader(where, options, how === 'ask' ? ASK_OPTIONS : TELL_OPTIONS);
    const { post, askTimeoutMs } = this.#around;
    // The router checks what can be seen at once, fills in defaults of the schema, and copies nothing.
    const checked = post.address(target, id, type, payload, { waits: true });
    if (how !== 'ask') refuseQuery(definition, id, type, how);
    const metadata = given.value('metadata');
    const priority = given.value('priority');
    if (priority !== undefined && typeof priority !== 'number') throw given.refusal('priority', 'give a number');
    const facts: CommandFacts = {
      target,
      targetId: id,
      type,
      commandId: run.steps.commandIdFor(optionalText(given, 'id')),
      correlationId: optionalText(given, 'correlationId') ?? run.head.correlationId,
      causationId: run.head.causationId,
      metadata:
        metadata === undefined
          ? run.head.metadata
          : { ...run.head.metadata, ...readMetadata(metadata, `${where}: options.metadata`) },
      priority,
    };
    const hasTimeout = given.value('timeout') !== undefined;
    const retry = given.value('retry');
    const plan = {
      how,
      facts,
      payload: checked.payload,
      timeoutMs: given.durationMs('timeout', askTimeoutMs, { infinite: true }),
      receipt: given.value('receipt') === true,
      policy:
        how === 'ask'
          ? run.steps.inCompensation(askPolicy(retry, hasTimeout, where))
          : (readRetry(retry, where) ?? PERSISTENT),
      gate: this.#around.askGate(run.definition.name),
      ready: () => run.readyToSend(),
    };
    return this.#open(`${how} ${target}/${id} ${type}`, new CommandStep(this.#around, run.steps, plan));
  }

  /** What is wrong at once goes the way of every outcome: through the promise. */
  #promise(open: () => Step): Promise<unknown> {
    try {
      this.#run.admit();
      return open().promise;
    } catch (error) {
      const rejected = Promise.reject(error instanceof Error ? error : new Error(String(error)));
      rejected.catch(() => undefined);
      return rejected;
    }
  }

  #text(value: unknown, what: string): string {
    if (typeof value === 'string' && value !== '') return value;
    throw refusal(`${this.#run.key}: ${what} is ${showValue(value)}; give a text that is not empty`);
  }

  #refuseForeign(type: string, where: string): void {
    const { of } = this.#run.definition.options;
    if (of === undefined || of.some((source) => source.options.events.has(type))) return;
    throw refusal(`${where}: no aggregate of "of" (${of.map(({ name }) => name).join(', ')}) has such an event`);
  }
}

function optionalText(given: OptionReader, key: string): string | undefined {
  const value = given.value(key);
  if (value === undefined || isGivenText(value)) return value;
  throw given.refusal(key, GIVEN_TEXT);
}

function nameOf(definition: unknown, key: string): string {
  // Without types a run may pass anything.
  const name: unknown = (Object(definition) as { readonly name?: unknown }).name;
  if (typeof name === 'string') return name;
  throw refusal(`${key}: the target is ${showValue(definition)}; give a definition made by aggregate() or actor()`);
}

function refuseQuery(definition: Addressable, id: string, type: string, how: string): void {
  if (definition.kind !== 'aggregate' || !definition.options.queries.has(type)) return;
  throw new TroupeError(
    'TROUPE_UNKNOWN_MESSAGE',
    `${definition.name}/${id}: ${type} is a query, which only makes sense with ask(), not with ${how}()`,
    { details: { target: definition.name, id, type } },
  );
}

function refusal(message: string): TroupeError {
  return new TroupeError('TROUPE_INVALID_OPTIONS', message);
}
