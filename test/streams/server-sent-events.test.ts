/** Laws of server-sent events: in order, resumed without gap or repeat, at the client's pace, and gone with it. */
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { ActorSystem, aggregate, projection, serveEvents, serveValues } from 'troupe';
import type { EventSourceHandler } from 'troupe';
import { eventually } from '../projections/read-models.js';

const note = aggregate({
  name: 'note',
  initialState: () => ({}),
  events: {
    'note.written': { apply: (state, _data: { text: string }) => state },
    'note.secret': { apply: (state, _data: { text: string }) => state },
  },
  commands: {
    write: { handle: (_state, input: { text: string }, ctx) => ctx.emit('note.written', input) },
    whisper: { handle: (_state, input: { text: string }, ctx) => ctx.emit('note.secret', input) },
  },
});

const notes = projection({
  name: 'notes',
  of: [note],
  columns: { id: 'text primary key', written: 'integer' },
  key: (event) => event.aggregateId,
  on: { 'note.written': (row = { written: 0 }) => ({ written: row.written + 1 }) },
});

interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
}

/** A client: what has come so far. */
class Client {
  readonly response: IncomingMessage;
  text = '';
  ended = false;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => (this.text += text));
    response.on('end', () => (this.ended = true));
    response.on('error', () => (this.ended = true));
  }

  get messages(): Message[] {
    return this.text
      .split('\n\n')
      .slice(0, -1)
      .map((block) => Object.fromEntries(block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)?.slice(1) ?? [])))
      .filter((message) => message['id'] !== undefined || message['data'] !== undefined)
      .map((message) =>
        typeof message['data'] === 'string' ? { ...message, data: JSON.parse(message['data']) as unknown } : message,
      );
  }
}

describe('server-sent events', () => {
  let system: ActorSystem;
  let server: Server | undefined;
  let port = 0;
  const clients: Client[] = [];

  beforeEach(async () => {
    system = await ActorSystem.start({ cast: [note, notes], workers: 0, journal: ':memory:' });
  });
  afterEach(async () => {
    for (const { response } of clients.splice(0)) response.destroy();
    await system.stop();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    server = undefined;
  });

  const listen = async (handler: EventSourceHandler): Promise<void> => {
    server = createServer((request, reply) => void handler(request, reply));
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    // A server on a port has an address of this kind.
    ({ port } = server.address() as AddressInfo);
  };

  const connect = (path = '/', headers: Record<string, string> = {}, method = 'GET'): Promise<Client> =>
    new Promise((resolve, reject) => {
      const request = get({ port, path, headers, method, agent: false }, (response) => {
        const client = new Client(response);
        clients.push(client);
        resolve(client);
      });
      request.on('error', reject);
    });

  const write = (text: string): Promise<unknown> => system.ref(note, 'a').ask('write', { text });
  const texts = ({ messages }: Client): unknown[] =>
    messages.flatMap(({ data }) => (data === undefined ? [] : [(data as { data: { text: string } }).data.text]));

  it('tells what is committed from now on, with its position as id and the right headers', async () => {
    await write('before');
    await listen(serveEvents(system));
    const client = await connect();
    expect(client.response.headers['content-type']).to.equal('text/event-stream; charset=utf-8');
    await eventually(() => client.text.startsWith('retry: 2000\n\n'));
    await write('one\ntwo');
    await eventually(() => client.messages.length === 1);
    const [message] = client.messages;
    expect(message?.id).to.equal('2');
    expect(message?.data).to.deep.include({ position: 2, type: 'note.written', data: { text: 'one\ntwo' } });
  });

  it('goes on by Last-Event-ID, or where the client says, or from the beginning, without gap or repeat', async () => {
    for (let i = 1; i <= 5; i += 1) await write(`${i}`);
    await listen(serveEvents(system, { from: 'beginning' }));
    const resumed = await connect('/?after=1', { 'last-event-id': '3' });
    const placed = await connect('/events?x=1&after=4');
    const whole = await connect();
    await write('6');
    await eventually(() => texts(whole).length === 6 && texts(resumed).length === 3 && texts(placed).length === 2);
    expect(texts(resumed)).to.deep.equal(['4', '5', '6']);
    expect(texts(placed)).to.deep.equal(['5', '6']);
    expect(texts(whole)).to.deep.equal(['1', '2', '3', '4', '5', '6']);
  });

  it('hands out what the client may see, as it shall see it; the rest only moves its id on', async () => {
    await listen(
      serveEvents(system, {
        from: 'beginning',
        named: true,
        allows: async (event, request) => event.type !== 'note.secret' || request.headers['x-key'] === 'open',
        data: ({ aggregateId }) => ({ aggregateId }),
      }),
    );
    await system.ref(note, 'a').ask('whisper', { text: 'psst' });
    await write('loud');
    const stranger = await connect();
    const friend = await connect('/', { 'x-key': 'open' });
    await eventually(() => stranger.messages.length === 2 && friend.messages.length === 2);
    expect(stranger.messages).to.deep.equal([
      { id: '1', event: 'note.secret' },
      { id: '2', event: 'note.written', data: { aggregateId: 'a' } },
    ]);
    expect(friend.messages[0]).to.deep.equal({ id: '1', event: 'note.secret', data: { aggregateId: 'a' } });
  });

  it('ends one connection when a function of the user throws, tells of it, and harms nobody', async () => {
    const told: unknown[] = [];
    await listen(
      serveEvents(system, {
        from: 'beginning',
        data(event) {
          if (event.position === 2) throw new Error('the second');
          return event.position;
        },
        onError: (error, request) => told.push([String(error), request.url]),
      }),
    );
    for (const text of ['1', '2', '3']) await write(text);
    const broken = await connect('/broken');
    const behind = await connect('/?after=2');
    await eventually(() => broken.ended && behind.messages.length === 1);
    expect(broken.messages.map(({ id }) => id)).to.deep.equal(['1']);
    expect(told).to.deep.equal([['Error: the second', '/broken']]);
    expect(behind.ended).to.equal(false);
  });

  it('makes a warning of what goes wrong when nobody has asked for it, also behind the end of the system', async () => {
    const warnings: string[] = [];
    const listener = ({ message }: Error): number => warnings.push(message);
    process.on('warning', listener);
    try {
      await listen(serveEvents(system, { from: 'beginning', data: () => BigInt(1) }));
      await write('1');
      const client = await connect();
      await eventually(() => client.ended && warnings.length === 1);
      expect(warnings[0]).to.match(/^serveEvents: a connection has ended .*BigInt/);
      await system.stop();
      const late = await connect();
      await eventually(() => late.ended);
    } finally {
      process.off('warning', listener);
    }
  });

  it('refuses ids that are no positions, and methods other than GET', async () => {
    await listen(serveEvents(system));
    for (const headers of [{ 'last-event-id': 'x' }, { 'last-event-id': '-1' }, { 'last-event-id': '1e3' }]) {
      expect((await connect('/', headers)).response.statusCode).to.equal(400);
    }
    expect((await connect('/', {}, 'POST')).response.statusCode).to.equal(405);
    expect(() => serveEvents(system, { tyes: [] } as never)).to.throw(/tyes.*types/);
    expect(() => serveEvents(system, { heartbeat: 'soon' as never })).to.throw(/heartbeat/);
  });

  it('ends with the system, and lets go of a client that goes', async () => {
    let reading = 0;
    const watched = {
      metrics: () => system.metrics(),
      async *readAll(options: Parameters<ActorSystem['readAll']>[0]) {
        reading += 1;
        try {
          yield* system.readAll(options);
        } finally {
          reading -= 1;
        }
      },
    };
    await listen(serveEvents(watched));
    const [leaver, stayer] = [await connect(), await connect()];
    await eventually(() => reading === 2);
    leaver.response.destroy();
    await eventually(() => reading === 1);
    await system.stop();
    await eventually(() => stayer.ended);
    expect(reading).to.equal(0);
  });

  it('shows a sign of life on a quiet connection', async () => {
    await listen(serveEvents(system, { heartbeat: '20ms', retry: '1s' }));
    const client = await connect();
    await eventually(() => client.text.includes(':\n\n:\n\n'));
    expect(client.text.startsWith('retry: 1000\n\n')).to.equal(true);
  });

  it('pulls no more events than a stalled client takes', async () => {
    const big = 'x'.repeat(100_000);
    await system.append(
      note,
      'a',
      Array.from({ length: 400 }, () => ({ type: 'note.written', data: { text: big } })),
    );
    let pulled = 0;
    const counted = {
      metrics: () => system.metrics(),
      async *readAll(options: Parameters<ActorSystem['readAll']>[0]) {
        for await (const event of system.readAll(options)) {
          pulled += 1;
          yield event;
        }
      },
    };
    await listen(serveEvents(counted, { from: 'beginning' }));
    const client = await connect();
    client.response.pause();
    let before = -1;
    // It stands still once what lies between is full.
    for (let quiet = 0; quiet < 3; quiet = pulled > 0 && pulled === before ? quiet + 1 : 0) {
      before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(pulled).to.be.within(1, 300);
    client.response.resume();
    await eventually(() => client.text.length > 40_000_000);
    expect(client.messages).to.have.length(400);
  });

  it('tells the rows of a query, each newer answer, and leaves out what a slow client has missed', async () => {
    await listen(serveValues(() => system.view(notes).watchAll({ orderBy: { written: 'desc' } })));
    const client = await connect();
    await eventually(() => client.messages.length === 1);
    expect(client.messages[0]).to.deep.equal({ data: [] });
    await write('one');
    await write('two');
    await system.settled();
    await eventually(() => JSON.stringify(client.messages.at(-1)?.data) === '[{"id":"a","written":2}]');
    client.response.destroy();
    await write('three');
    await system.settled();
  });
});
