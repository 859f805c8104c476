/**
 * `perAggregate`: `concatMap` within each aggregate, `mergeMap` between them.
 *
 * Each aggregate with events at work or waiting has a lane; a lane that runs dry is forgotten, so memory follows what
 * is under way and not how many aggregates there are. Lanes take turns event by event: a busy one starves nobody.
 */
import { from, type ObservableInput, type OperatorFunction, takeWhile, throwError } from 'rxjs';
import { OptionReader } from '../core/option-reader.js';
import { RingBuffer } from '../core/ring-buffer.js';
import { TroupeError } from '../core/troupe-error.js';
import { SafeObservable } from './safe-observable.js';
import { stage } from './stage.js';

/** What `perAggregate` has to know of an event. */
export interface AggregateEvent {
  readonly aggregate: string;
  readonly aggregateId: string;
}

export interface PerAggregateOptions<Event> {
  /** Aggregates at work at the same time; others wait their turn. Default 256. */
  readonly concurrency?: number;
  /** Events that may wait; one more fails the stream with TROUPE_MAILBOX_FULL. `Infinity` may be asked for. Default 10,000. */
  readonly buffer?: number;
  /**
   * Told when `project` throws or its stream fails; a throw in here fails the whole stream. Default: behind an
   * Observable of a system it is logged and counted, as what a subscriber throws; else it goes where RxJS sends errors
   * that nobody handles (`config.onUnhandledError`, or an uncaught exception).
   */
  readonly onError?: (error: unknown, event: Event) => void;
}

interface Lane<Event> {
  readonly key: string;
  readonly events: RingBuffer<Event>;
}

const OPTIONS = ['concurrency', 'buffer', 'onError'];
const DEFAULT_CONCURRENCY = 256;
const DEFAULT_BUFFER = 10_000;

/**
 * Maps each event to a stream (or a promise): in order within an aggregate, one event at a time, and concurrent
 * between aggregates.
 *
 * A failure of `project` ends what that event gave and nothing else: it is reported, the aggregate goes on with its
 * next event, and the others never notice. A source that can't be slowed down may give more than is worked off;
 * then the stream fails rather than the memory: pull with `system.readAll()` where the work is slow.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is unusable.
 * @example
 * system.events
 *   .pipe(
 *     ofType('order.shipped'),
 *     perAggregate((event) => notifyCustomer(event.aggregateId), { onError: (error) => console.error(error) }),
 *   )
 *   .subscribe();
 */
export function perAggregate<Event extends AggregateEvent, Result>(
  project: (event: Event) => ObservableInput<Result>,
  options: PerAggregateOptions<Event> = {},
): OperatorFunction<Event, Result> {
  const given = new OptionReader('operator perAggregate', options, OPTIONS);
  if (typeof project !== 'function')
    throw new OptionReader('operator perAggregate', {}).refusal('project', 'give a function');
  const concurrency = given.integer('concurrency', { min: 1, infinite: true }, DEFAULT_CONCURRENCY);
  const buffer = given.integer('buffer', { min: 1, infinite: true }, DEFAULT_BUFFER);
  given.optionalFunction('onError', '(error, event)');

  return stage<Event, Result>((out, source) => {
    const onError = options.onError ?? reporterOf(source);
    const lanes = new Map<string, Lane<Event>>();
    /** Lanes with events, none of which is at work. */
    const ready = new RingBuffer<Lane<Event>>();
    let atWork = 0;
    let waiting = 0;
    let sourceEnded = false;
    let pumping = false;

    /** Begins what may begin. A loop and no recursion: a thousand events that are done at once don't deepen the stack. */
    const pump = (): void => {
      if (pumping) return;
      pumping = true;
      while (atWork < concurrency && !out.closed) {
        const lane = ready.shift();
        if (lane === undefined) break;
        begin(lane);
      }
      pumping = false;
      if (sourceEnded && atWork === 0 && ready.size === 0) out.complete();
    };
    const begin = (lane: Lane<Event>): void => {
      const event = lane.events.shift();
      if (event === undefined) return;
      waiting -= 1;
      atWork += 1;
      const done = (): void => {
        atWork -= 1;
        if (lane.events.size > 0) ready.push(lane);
        else lanes.delete(lane.key);
        pump();
      };
      const failed = (error: unknown): void => {
        try {
          onError(error, event);
        } catch (fatal) {
          out.error(fatal);
        }
        done();
      };
      let results;
      try {
        results = from(project(event));
      } catch (error) {
        return failed(error);
      }
      out.add(
        results.pipe(takeWhile(() => !out.closed)).subscribe({
          next: (result) => out.next(result),
          error: failed,
          complete: done,
        }),
      );
    };

    return {
      next(event) {
        if (waiting >= buffer) throw overflow(event, buffer);
        const key = `${event.aggregate}/${event.aggregateId}`;
        let lane = lanes.get(key);
        if (lane === undefined) {
          lane = { key, events: new RingBuffer<Event>() };
          lanes.set(key, lane);
          ready.push(lane);
        }
        lane.events.push(event);
        waiting += 1;
        pump();
      },
      complete() {
        sourceEnded = true;
        pump();
      },
    };
  });
}

function overflow({ aggregate, aggregateId }: AggregateEvent, buffer: number): TroupeError {
  return new TroupeError(
    'TROUPE_MAILBOX_FULL',
    `operator perAggregate: ${buffer} events wait, and there is no room for one of ${aggregate}/${aggregateId}; pull ` +
      'with system.readAll() instead, or allow more with options.buffer or options.concurrency',
    { details: { aggregate, id: aggregateId, buffer } },
  );
}

/** Where an error without a handler goes: of a system's events, where those of subscribers go; else RxJS knows. */
function reporterOf(source: unknown): (error: unknown) => void {
  if (source instanceof SafeObservable) return (error) => source.care.caught(error);
  return (error) => void throwError(() => error).subscribe();
}
