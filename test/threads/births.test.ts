/** What threads know of children: enough to find every one that somebody could speak of, however the news travel. */
import { expect } from 'chai';
import { Envelope } from '../../src/core/envelope.js';
import { Births } from '../../src/threads/births.js';
import { MessageChannel, type MessagePort } from '../../src/threads/channel.js';
import { FrameCodec } from '../../src/threads/frame-codec.js';
import { Links } from '../../src/threads/links.js';
import { Placement, type ThreadIndex } from '../../src/threads/placement.js';
import { eventually } from '../support/eventually.js';

const THREADS = 3;

/** A thread, as far as it has to do with the others. What comes to it waits at its ports until the test lets it be read. */
class Thread {
  readonly placement: Placement;
  readonly links: Links;
  readonly arrived: string[] = [];
  readonly signalled: string[] = [];
  /** Ids of those that live here. */
  readonly living = new Set<string>();
  readonly contested: string[] = [];

  constructor(here: ThreadIndex, memory: SharedArrayBuffer) {
    const births = new Births(memory);
    this.placement = new Placement(THREADS, births);
    this.links = new Links({
      here,
      placement: this.placement,
      births,
      codec: new FrameCodec(),
      limits: { credits: 100, backlog: 100, frame: 4 },
      local: {
        deliver: ({ type }) => void this.arrived.push(type),
        withdraw: () => false,
        signal: (_to, signal) => void this.signalled.push(signal.kind),
        bind: (_name, _id, value) => value,
        renewWatches: () => [],
        nearby: (_name, id) => (this.living.has(id) ? NOBODY : undefined),
        contested: (_name, id, thread) => void this.contested.push(`${id} of ${thread}`),
      },
      isAggregate: () => false,
      isReaction: () => false,
      newId: () => 'id',
      undelivered: () => undefined,
      quarantined: () => undefined,
    });
  }

  send(id: string, type: string): void {
    const envelope = new Envelope('kid', id, type, undefined, undefined);
    if (!this.links.deliver(envelope)) this.arrived.push(`${type} here`);
  }
}

/** Somebody to whom nothing goes straight. */
const NOBODY = { closed: true, knows: () => false, acceptPlain: () => false };

describe('news of children', () => {
  let threads: Thread[];
  /** The ends of each thread. */
  let ports: Map<ThreadIndex, MessagePort[]>;
  beforeEach(() => {
    const memory = Births.memory();
    ports = new Map();
    threads = [1, 2, 3].map((here) => new Thread(here, memory));
    for (const [i, one] of threads.entries()) {
      for (const [j, other] of threads.entries()) {
        if (j <= i) continue;
        const { port1, port2 } = new MessageChannel();
        ports.set(i + 1, [...(ports.get(i + 1) ?? []), port1]);
        ports.set(j + 1, [...(ports.get(j + 1) ?? []), port2]);
        one.links.connect(j + 1, port1);
        other.links.connect(i + 1, port2);
        one.links.open(j + 1);
        other.links.open(i + 1);
      }
    }
  });
  afterEach(() => {
    for (const { links } of threads) links.close();
  });

  const at = (index: ThreadIndex): Thread => threads[index - 1] as Thread;
  /** An id that would lead to this thread. */
  const idFor = (home: ThreadIndex, from = 0): string => {
    for (let n = from; ; n += 1) if (at(1).placement.homeOf('kid', `k${n}`) === home) return `k${n}`;
  };
  /** Every way that a word of a child can take from where it lives to a third thread. */
  const ways = [1, 2, 3].flatMap((parent) =>
    [1, 2, 3].flatMap((third) => (third === parent ? [] : [{ parent, third, between: 6 - parent - third }])),
  );

  for (const { parent, third, between } of ways) {
    for (const home of [third, between]) {
      it(`of ${parent} are known to ${third} when ${between} speaks of them, although nobody has read his mail (home: ${home})`, () => {
        const id = idFor(home);
        at(parent).links.staged('kid', id, true);
        // The parent writes to the one between, who writes to the third one, all before any event of a port.
        at(parent).send(idFor(between, 1_000), 'speak of it');
        at(parent).links.flush();
        expect(at(third).placement.threadOf('kid', id)).to.equal(parent);
        expect(at(third).links.isHere({ name: 'kid', id })).to.equal(false);
        expect(at(between).placement.threadOf('kid', id)).to.equal(parent);
      });
    }
  }

  it('go ahead of a full frame to another thread, in the middle of a turn', () => {
    const id = idFor(3);
    at(1).links.staged('kid', id, true);
    for (let n = 0; n < 4; n += 1) at(1).send(idFor(2, 1_000), `mail ${n}`);
    // The fourth one has filled a frame, which has left; the turn is not over.
    expect(at(3).placement.threadOf('kid', id)).to.equal(1);
  });

  it('have gone to all before anything else goes to anybody, also what had been waiting to leave', () => {
    const posted: boolean[] = [];
    for (const port of ports.get(1) ?? []) {
      const post = port.postMessage.bind(port);
      port.postMessage = (bytes: Uint8Array) => {
        posted.push(new FrameCodec().decode(bytes).placements.length > 0);
        post(bytes);
      };
    }
    at(1).send(idFor(2, 1_000), 'before it was born');
    at(1).links.staged('kid', idFor(3), true);
    at(1).send(idFor(3, 1_000), 'after');
    at(1).links.flush();
    expect(posted).to.deep.equal([true, true, false, false]);
  });

  it('taken in early leave mail, signals and outcomes to their turn, in their order', async () => {
    const [id, other] = [idFor(3), idFor(3, 1_000)];
    for (const type of ['a', 'b']) at(1).send(other, type);
    at(1).links.flush();
    at(1).links.staged('kid', id, true);
    at(1).links.signal({ name: 'kid', id: other }, { kind: 'stop' });
    at(1).send(other, 'c');
    at(1).links.flush();
    expect(at(3).placement.threadOf('kid', id)).to.equal(1);
    expect([at(3).arrived, at(3).signalled]).to.deep.equal([[], []]);
    await eventually(() => Promise.resolve(at(3).arrived.length === 3));
    expect(at(3).arrived).to.deep.equal(['a', 'b', 'c']);
    expect(at(3).signalled).to.deep.equal(['stop']);
    await eventually(() => Promise.resolve(at(1).links.unfinished === 3));
  });

  it('of one that has ended and of another one of its id leave the later one, in whichever order they are read', () => {
    const id = idFor(3);
    at(1).links.staged('kid', id, true);
    at(1).links.announce();
    at(1).links.staged('kid', id, false);
    at(1).links.announce();
    at(2).links.staged('kid', id, true);
    at(2).links.announce();
    // Threads read their ports in the order in which they were connected; both orders are among these.
    expect([1, 2, 3].map((index) => at(index).placement.threadOf('kid', id))).to.deep.equal([2, 2, 2]);
    at(2).links.staged('kid', id, false);
    at(2).links.announce();
    at(1).links.staged('kid', id, true);
    at(1).links.announce();
    expect([1, 2, 3].map((index) => at(index).placement.threadOf('kid', id))).to.deep.equal([1, 1, 1]);
  });

  it('of one that has the id of an actor at home there end it, and the one at home stays to be found there', async () => {
    const id = idFor(3);
    at(3).living.add(id);
    at(1).links.staged('kid', id, true);
    at(1).links.announce();
    expect(at(3).links.isHere({ name: 'kid', id })).to.equal(true);
    expect(at(3).contested).to.deep.equal([`${id} of 1`]);
    await eventually(() => at(1).signalled.length > 0);
    expect(at(1).signalled).to.deep.equal(['stop']);
    at(1).links.staged('kid', id, false);
    at(1).links.announce();
    expect([1, 2, 3].map((index) => at(index).placement.threadOf('kid', id))).to.deep.equal([3, 3, 3]);
  });

  it('reach a thread that comes later, of all that live, and no more of those that have ended', () => {
    const [first, second] = [idFor(3), idFor(3, 1_000)];
    for (const id of [first, second]) at(1).links.staged('kid', id, true);
    at(1).links.staged('kid', first, false);
    at(1).links.announce();
    const memory = Births.memory();
    const late = new Thread(3, memory);
    const { port1, port2 } = new MessageChannel();
    late.links.connect(1, port1);
    at(1).links.connect(3, port2);
    expect(late.placement.threadOf('kid', second)).to.equal(1);
    expect(late.placement.threadOf('kid', first)).to.equal(3);
    late.links.close();
  });
});
