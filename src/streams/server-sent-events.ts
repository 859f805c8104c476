/**
 * Server-sent events for embedding: handlers of a web server that hand committed events, or the rows of a query, to
 * browsers, and go on where a client was when it comes back.
 *
 * Events are pulled, page by page, as fast as the client takes them: a stalled one costs one page. Of rows a slow
 * client gets the newest. A client that goes takes its reader along. What goes wrong ends one connection: handlers don't
 * reject, for Node's own `http` would end the process.
 */
import type { Observable } from 'rxjs';
import { type Duration, parseDuration } from '../core/duration.js';
import { OptionReader } from '../core/option-reader.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { showCause } from '../core/show-value.js';
import {
  type EventSourceReply,
  type EventSourceRequest,
  EventSourceResponse,
  refuseRequest,
} from './event-source-response.js';

/** A handler of a web server: `http.createServer(handler)`, `app.get('/events', handler)`. */
export type EventSourceHandler = (request: EventSourceRequest, reply: EventSourceReply) => Promise<void>;

interface ConnectionOptions {
  /** Time between two signs of life on a connection that is quiet. Default 15 s. */
  readonly heartbeat?: Duration;
  /** What the client is told to wait before it comes back. Default 2 s. */
  readonly retry?: Duration;
  /**
   * Told what ended a connection before its time: what a function given here threw, or why events can't be read. The
   * client comes back by itself. Default: a warning of the process.
   */
  readonly onError?: (error: unknown, request: EventSourceRequest) => void;
}

/** Which events, and how they are told. */
export interface ServeEventsOptions extends ConnectionOptions {
  readonly types?: readonly string[];
  /** Where a client begins that says nothing: with the first event, or with the next one. Default `'now'`. */
  readonly from?: 'beginning' | 'now';
  /** Whether this client may see the event; it may be asynchronous. */
  readonly allows?: (event: RecordedEvent, request: EventSourceRequest) => boolean | PromiseLike<boolean>;
  /** What the client gets, a JSON value. Default: the event as it is. */
  readonly data?: (event: RecordedEvent) => unknown;
  /** Whether messages bear the event's type, so that each type has a listener of its own; else `onmessage` gets all. */
  readonly named?: boolean;
}

/** What is asked of a system. */
export interface EventsToServe {
  readAll(options: {
    readonly after: number;
    readonly live: boolean;
    readonly signal: AbortSignal;
    readonly types?: readonly string[];
  }): AsyncIterable<RecordedEvent>;
  metrics(): { readonly position: number };
}

/**
 * A handler that tells committed events to browsers, in order, without gap or repeat: their position is the id of each
 * message, so a client that was cut off goes on by `Last-Event-ID`. One that knows where its state is from begins there,
 * with `?after=POSITION`.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is unknown or unusable.
 * @example
 * import { createServer } from 'node:http';
 * import { serveEvents } from 'troupe';
 *
 * createServer(serveEvents(system, { types: ['order.created'], data: ({ aggregateId, data }) => ({ aggregateId, data }) }));
 */
export function serveEvents(system: EventsToServe, options: ServeEventsOptions = {}): EventSourceHandler {
  const given = new OptionReader('serveEvents', options, [
    'types',
    'from',
    'allows',
    'data',
    'named',
    'heartbeat',
    'retry',
    'onError',
  ]);
  const from = given.oneOf('from', ['beginning', 'now'], 'now');
  const pace = readPace('serveEvents', options);
  const { types, allows, data = asItIs, named = false } = options;
  return guarded('serveEvents', given, async (request, reply) => {
    if (!isGet(request, reply)) return;
    const asked = positionOf(request);
    if (asked === 'unreadable') {
      refuseRequest(reply, 400, 'Last-Event-ID and ?after= take a position: a whole number of 0 or more');
      return;
    }
    const after = asked ?? (from === 'now' ? system.metrics().position : 0);
    const response = new EventSourceResponse(reply, pace);
    const { gone: signal } = response;
    try {
      const events = system.readAll({ after, live: true, signal, ...(types === undefined ? {} : { types }) });
      for await (const event of events) {
        if (signal.aborted) break;
        const allowed = allows === undefined || (await allows(event, request));
        // What it may not see moves it on all the same.
        await response.send({
          id: event.position,
          event: named ? event.type : undefined,
          data: allowed ? data(event) : undefined,
        });
      }
    } finally {
      // Also when a function of the user throws: the client comes back.
      response.end();
    }
  });
}

/**
 * A handler that tells what is watched, such as `view.watchAll(query)`: its value as it is, then each newer one. A slow
 * client leaves out what came in between.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is unknown or unusable.
 * @example
 * import { serveValues } from 'troupe';
 *
 * const best = serveValues(() => system.view(stock).watchAll({ orderBy: { sold: 'desc' }, limit: 10 }));
 */
export function serveValues<T>(
  values: (request: EventSourceRequest) => Observable<T>,
  options: ConnectionOptions = {},
): EventSourceHandler {
  const given = new OptionReader('serveValues', options, ['heartbeat', 'retry', 'onError']);
  const pace = readPace('serveValues', options);
  return guarded('serveValues', given, async (request, reply) => {
    if (!isGet(request, reply)) return;
    const watched = values(request);
    const response = new EventSourceResponse(reply, pace);
    try {
      await new Promise<void>((resolve, reject) => {
        let newest: { readonly value: T } | undefined;
        let sending = false;
        const pump = async (): Promise<void> => {
          if (sending) return;
          sending = true;
          for (let next = newest; next !== undefined; next = newest) {
            newest = undefined;
            await response.send({ data: next.value ?? null });
          }
          sending = false;
        };
        const subscription = watched.subscribe({
          next: (value) => {
            newest = { value };
            pump().catch(reject);
          },
          error: reject,
          complete: resolve,
        });
        response.gone.addEventListener('abort', () => {
          subscription.unsubscribe();
          resolve();
        });
      });
    } finally {
      response.end();
    }
  });
}

/** The handler, which hands on what goes wrong and never rejects. */
function guarded(owner: string, given: OptionReader, handler: EventSourceHandler): EventSourceHandler {
  // Called as ConnectionOptions says.
  const onError = given.optionalFunction('onError', '(error, request)') as ConnectionOptions['onError'];
  return async (request, reply) => {
    try {
      await handler(request, reply);
    } catch (error) {
      try {
        if (onError === undefined) warn(owner, error);
        else onError(error, request);
      } catch (thrown) {
        warn(owner, thrown);
      }
    }
  };
}

function warn(owner: string, error: unknown): void {
  process.emitWarning(`${owner}: a connection has ended before its time: ${showCause(error)}`, {
    type: 'TroupeWarning',
    ...(error instanceof Error && error.stack !== undefined ? { detail: error.stack } : {}),
  });
}

function readPace(owner: string, { heartbeat = '15s', retry = '2s' }: ConnectionOptions) {
  return {
    heartbeatMs: parseDuration(heartbeat, `${owner}: option "heartbeat"`),
    retryMs: parseDuration(retry, `${owner}: option "retry"`),
  };
}

function isGet({ method = 'GET' }: EventSourceRequest, reply: EventSourceReply): boolean {
  if (method === 'GET') return true;
  refuseRequest(reply, 405, 'only GET');
  return false;
}

/** Where the client was, or says to begin; a client that comes back says both, and was further than it began. */
function positionOf({ headers, url = '' }: EventSourceRequest): number | 'unreadable' | undefined {
  const header = headers['last-event-id'];
  const query = url.indexOf('?');
  const text = header ?? (query < 0 ? undefined : (new URLSearchParams(url.slice(query)).get('after') ?? undefined));
  if (text === undefined || text === '') return undefined;
  const position = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(position) ? position : 'unreadable';
}

function asItIs(event: RecordedEvent): unknown {
  return event;
}
