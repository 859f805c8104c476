/**
 * One server-sent-events connection: the answer to a request that stays open, with heartbeats, and room for more.
 *
 * It asks of request and response only what Node's own have, and so what Express, Fastify (`request.raw`, `reply.raw`),
 * Koa and Hapi hand out; nothing of HTTP is imported.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { systemClock, type Timer } from '../core/clock.js';

/** What is asked of a request: `http.IncomingMessage` has it. */
export interface EventSourceRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What is asked of a response: `http.ServerResponse` has it. */
export interface EventSourceReply {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  /** False when the client is slower than what is written. */
  write(text: string): boolean;
  end(text?: string): unknown;
  on(event: 'close' | 'drain' | 'error', listener: () => void): unknown;
}

/** One message to the client. */
export interface ServerSentMessage {
  /** Comes back as `Last-Event-ID`. */
  readonly id?: string | number | undefined;
  /** Name of the event; without it the client's `onmessage` gets it. */
  readonly event?: string | undefined;
  /** A JSON value; undefined: only the id is news. */
  readonly data: unknown;
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Also what stands in between must neither keep, change nor gather it.
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  connection: 'keep-alive',
} as const;

export class EventSourceResponse {
  readonly #reply: EventSourceReply;
  readonly #gone = new AbortController();
  readonly #heartbeatMs: number;
  #heartbeat: Timer | undefined;
  #room: Promise<void> | undefined;
  #madeRoom: () => void = nothing;

  constructor(reply: EventSourceReply, options: { readonly heartbeatMs: number; readonly retryMs: number }) {
    this.#reply = reply;
    this.#heartbeatMs = options.heartbeatMs;
    const leave = (): void => {
      this.#heartbeat?.cancel();
      this.#gone.abort();
      this.#madeRoom();
    };
    reply.on('close', leave);
    reply.on('error', leave);
    reply.on('drain', () => this.#madeRoom());
    reply.writeHead(200, HEADERS);
    reply.write(`retry: ${options.retryMs}\n\n`);
    this.#beat();
  }

  /** Aborts when the client has gone. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves when there is room for the next one, or nobody is there any more. */
  async send({ id, event, data }: ServerSentMessage): Promise<void> {
    if (this.#gone.signal.aborted) return;
    // JSON has no line breaks outside of its texts, and there they are escaped; names are checked by their definitions.
    let text = id === undefined ? '' : `id: ${id}\n`;
    if (event !== undefined) text += `event: ${event.replace(/[\r\n]/g, ' ')}\n`;
    if (data !== undefined) text += `data: ${JSON.stringify(data)}\n`;
    if (!this.#reply.write(`${text}\n`)) {
      this.#room ??= new Promise<void>((resolve) => {
        this.#madeRoom = resolve;
      }).finally(() => {
        this.#room = undefined;
        this.#madeRoom = nothing;
      });
    }
    await this.#room;
  }

  end(): void {
    this.#heartbeat?.cancel();
    if (!this.#gone.signal.aborted) this.#reply.end();
  }

  /** A comment now and then keeps what stands in between from closing an idle connection. */
  #beat(): void {
    this.#heartbeat = systemClock.setTimer(
      this.#heartbeatMs,
      () => {
        if (this.#room === undefined) this.#reply.write(':\n\n');
        this.#beat();
      },
      true,
    );
  }
}

/** Answers with an error, for a request that can't be served. */
export function refuseRequest(reply: EventSourceReply, status: number, text: string): void {
  reply.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  reply.end(`${text}\n`);
}

function nothing(): void {
  // Nobody waits for room.
}
