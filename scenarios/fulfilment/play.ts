/**
 * Plays planned orders one way, and measures: messages, events, time, who told whom, how failures travelled.
 *
 * All of it is read from the journal of the run afterwards, so that both ways are measured by the same stick.
 */
import { type ActorSystem, ActorSystem as System, type RecordedEvent } from 'troupe';
import { order } from '../../actors/services.js';
import { arrange, orderInput, type PlannedOrder } from './mishaps.js';
import { endsOf, faultOf, type OrderEnd } from './order-ends.js';
import { senderOf } from './sequence-diagram.js';
import type { Way } from './ways.js';

/** Orders that are placed at the same time. */
const AT_ONCE = 16;

export interface Played {
  readonly way: Way;
  readonly seconds: number;
  /** Events behind the head that the run began with, in order. */
  readonly events: readonly RecordedEvent[];
  /** Commands handled by services. */
  readonly messages: number;
  /** Milliseconds until the customer had an answer, each order. */
  readonly answerMs: readonly number[];
  /** Orders whose customer had the answer before the last thing that followed had happened. */
  readonly answeredFirst: number;
  /** Milliseconds from an order's first event to its last one. */
  readonly flowMs: readonly number[];
  readonly ends: ReadonlyMap<string, OrderEnd>;
  /** What is wrong with the end of an order. */
  readonly faults: readonly string[];
  readonly deadLetters: number;
  /** From each sender (reaction, saga) to the services that it told. */
  readonly knows: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of orders undone: events from the failure to the last consequence, and services that took part. */
  readonly undoing: { readonly orders: number; readonly events: number; readonly services: number };
}

export interface PlayOptions {
  readonly way: Way;
  readonly orders: readonly PlannedOrder[];
  readonly journal: string;
  readonly workers: number | 'auto';
  /** Called when about half of the orders have been placed, in the middle of everything that follows from them. */
  readonly halfway?: (system: ActorSystem) => Promise<ActorSystem>;
}

export function startShop({
  way,
  journal,
  workers,
}: Pick<PlayOptions, 'way' | 'journal' | 'workers'>): Promise<ActorSystem> {
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  return System.start({ name: way.name, cast: way.cast, journal, workers, log });
}

export async function play(options: PlayOptions): Promise<Played> {
  const { way, orders } = options;
  let system = await startShop(options);
  try {
    const from = system.metrics().position;
    await arrange(system, orders);
    const startedAt = performance.now();
    const handled = system.metrics().handled;
    const half = Math.floor(orders.length / 2);
    const { halfway } = options;
    const answers = await place(system, way, orders.slice(0, half), halfway === undefined);
    let messages = 0;
    if (halfway !== undefined) {
      messages += system.metrics().handled;
      system = await halfway(system);
    }
    answers.push(...(await place(system, way, orders.slice(half), true)));
    const seconds = (performance.now() - startedAt) / 1_000;
    messages += system.metrics().handled - handled;
    const events: RecordedEvent[] = [];
    for await (const event of system.readAll({ after: from })) events.push(event);
    const ends = await endsOf(system);
    const mine = orders.flatMap(({ invoice }) => ends.get(invoice.number) ?? []);
    return {
      way,
      seconds,
      events,
      messages,
      answerMs: answers.map(({ ms }) => ms),
      answeredFirst: answeredFirst(events, answers),
      flowMs: flowTimes(events),
      ends,
      faults: mine.flatMap((end) => faultOf(end) ?? []),
      deadLetters: system.deadLetters.list().length,
      knows: knowledgeIn(events),
      undoing: undoingIn(events),
    };
  } finally {
    await system.stop();
  }
}

interface Answer {
  readonly orderId: string;
  readonly ms: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Places orders, some at a time; customers change their minds when the event that they were planned for is committed. */
async function place(
  system: ActorSystem,
  way: Way,
  orders: readonly PlannedOrder[],
  toTheEnd: boolean,
): Promise<Answer[]> {
  const minds = new Map(orders.flatMap(({ invoice, cancelAt }) => (cancelAt ? [[invoice.number, cancelAt]] : [])));
  const called: Promise<void>[] = [];
  const subscription = system.events.subscribe(({ type, aggregateId, data }) => {
    const orderId = type === 'stock.reserved' ? (data as { orderId: string }).orderId : aggregateId;
    if (minds.get(orderId) !== type) return;
    minds.delete(orderId);
    called.push(way.callOff(system, orderId));
  });
  const answers: Answer[] = [];
  for (let first = 0; first < orders.length; first += AT_ONCE) {
    await Promise.all(
      orders.slice(first, first + AT_ONCE).map(async (planned) => {
        const startedAt = performance.now();
        const { number } = planned.invoice;
        await system.ref(order, number).ask('create', orderInput(planned), { id: `create-${number}`, timeout: '1m' });
        answers.push({ orderId: number, ms: performance.now() - startedAt, at: Date.now() });
      }),
    );
  }
  if (toTheEnd) await system.settled({ timeout: '5m' });
  subscription.unsubscribe();
  await Promise.all(called);
  if (toTheEnd && called.length > 0) await system.settled({ timeout: '5m' });
  return answers;
}

function flowTimes(events: readonly RecordedEvent[]): number[] {
  const spans = new Map<string, { first: number; last: number }>();
  for (const { correlationId, recordedAt } of events) {
    const span = spans.get(correlationId);
    if (span === undefined) spans.set(correlationId, { first: recordedAt, last: recordedAt });
    else span.last = recordedAt;
  }
  return [...spans].filter(([id]) => id.startsWith('create-')).map(([, { first, last }]) => last - first);
}

function answeredFirst(events: readonly RecordedEvent[], answers: readonly Answer[]): number {
  const endedAt = new Map(events.map(({ correlationId, recordedAt }) => [correlationId, recordedAt]));
  return answers.filter(({ orderId, at }) => at <= (endedAt.get(`create-${orderId}`) ?? 0)).length;
}

function knowledgeIn(events: readonly RecordedEvent[]): Map<string, Set<string>> {
  const knows = new Map<string, Set<string>>();
  for (const event of events) {
    const { kind, name } = senderOf(event);
    if (kind === 'outside') continue;
    knows.set(name, (knows.get(name) ?? new Set()).add(event.aggregate));
  }
  return knows;
}

/** Events that tell of a failure; the customer's own wish is told by `order.cancelled` itself. */
const FAILURES: ReadonlySet<string> = new Set(['payment.declined', 'shipment.failed', 'order.cancelled']);

function undoingIn(events: readonly RecordedEvent[]): Played['undoing'] {
  const undone = new Map<string, { count: number; readonly services: Set<string> }>();
  for (const { type, aggregate, correlationId } of events) {
    const one = undone.get(correlationId);
    if (one !== undefined) {
      one.count += 1;
      one.services.add(aggregate);
    } else if (FAILURES.has(type)) undone.set(correlationId, { count: 1, services: new Set([aggregate]) });
  }
  const all = [...undone.values()];
  return {
    orders: all.length,
    events: all.reduce((sum, { count }) => sum + count, 0),
    services: Math.max(0, ...all.map(({ services }) => services.size)),
  };
}

/** The value below which the given share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** The events that followed from placing one order. */
export function eventsOfOrder(played: Played, orderId: string): RecordedEvent[] {
  return played.events.filter(({ correlationId }) => correlationId === `create-${orderId}`);
}
