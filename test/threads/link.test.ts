/** Two ends of a link, joined by hand instead of a port: what crosses when, and what is kept when one end dies. */
import { expect } from 'chai';
import { NO_SUSPECTS, type Suspects } from '../../src/core/handling-mark.js';
import { Envelope, type EnvelopeFacts, type ReplySink, sealed } from '../../src/core/envelope.js';
import { TroupeError } from '../../src/core/troupe-error.js';
import type { PlainCell } from '../../src/threads/arrivals.js';
import { FrameCodec } from '../../src/threads/frame-codec.js';
import { Link, type LinkLimits } from '../../src/threads/link.js';

const LIMITS: LinkLimits = { credits: 8, backlog: 5, frame: 16 };
const LOST = new TroupeError('TROUPE_WORKER_LOST', 'worker 1 was lost');

class Outcome implements ReplySink {
  readonly wantsReply = true;
  readonly said: string[];
  readonly text: string;

  constructor(said: string[], text: string) {
    this.said = said;
    this.text = text;
  }

  reply(value: unknown): void {
    this.said.push(`${this.text}: ${String(value)}`);
  }

  fail(error: TroupeError): void {
    this.said.push(`${this.text}: ${error.code}`);
  }
}

/** One end; what it posts waits until the test carries it over. */
class End {
  readonly link: Link;
  readonly posted: Uint8Array[] = [];
  readonly arrived: Envelope[] = [];
  readonly signalled: string[] = [];
  readonly undelivered: string[] = [];
  readonly quarantined: string[] = [];
  /** To whom plain messages can go straight. */
  cell: PlainCell | undefined;

  constructor(peer: number, open: boolean, limits = LIMITS) {
    this.link = new Link(
      {
        peer,
        codec: new FrameCodec(),
        post: (frame) => this.posted.push(frame),
        placed: () => undefined,
        survives: ({ target }) => target === 'aggregate',
        signalled: (to) => this.signalled.push(to?.id ?? ''),
        withdraw: () => true,
        bound: (_to, value) => value,
        nearby: () => this.cell,
        arrived: (envelope) => {
          envelope.sink?.taken?.();
          this.arrived.push(envelope);
        },
        undelivered: ({ type }, error) => this.undelivered.push(`${type}: ${error.code}`),
        quarantined: ({ type }, nth) => {
          this.quarantined.push(`${type} ${nth}`);
          return undefined;
        },
        name: () => undefined,
      },
      limits,
      open,
    );
  }

  /** Answers what has arrived, in order. */
  answerAll(value: unknown): void {
    for (const envelope of this.arrived.splice(0)) envelope.sink?.reply(value, 0, 0);
  }
}

function carry(from: End, to: End): void {
  from.link.flush();
  for (const frame of from.posted.splice(0)) to.link.receive(frame);
}

describe('a link', () => {
  let here: End;
  let there: End;
  let said: string[];
  beforeEach(() => {
    here = new End(1, true);
    there = new End(0, true);
    said = [];
  });

  const ask = (type: string, target = 'aggregate', waits = false): void =>
    here.link.send(new Envelope(target, 'x', type, undefined, { sink: new Outcome(said, type), waits }));
  const types = (end: End): string[] => end.arrived.map(({ type }) => type);
  const suspects = (...seqs: number[]): Suspects => ({
    byThread: new Map([[0, new Map(seqs.map((seq) => [seq, 0]))]]),
    alone: seqs.length === 1,
  });

  it('takes messages over in the order sent, as frames, and brings their outcomes back', () => {
    for (const type of ['a', 'b', 'c', 'd', 'e']) ask(type);
    expect(here.posted).to.have.length(1);
    carry(here, there);
    expect(types(there)).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    there.answerAll(1);
    carry(there, here);
    expect(said).to.deep.equal(['a: 1', 'b: 1', 'c: 1', 'd: 1', 'e: 1']);
    expect(here.link.unfinished).to.equal(0);
  });

  it('fills a frame with four times as many tells as asks', () => {
    const told = (count: number): void => {
      for (let i = 0; i < count; i += 1) here.link.send(new Envelope('aggregate', 'x', 'tell', undefined, {}));
    };
    const roomy = new End(1, true, { ...LIMITS, credits: 100 });
    here = roomy;
    told(15);
    expect(here.posted).to.have.length(0);
    told(1);
    expect(here.posted).to.have.length(1);
    told(13);
    ask('asked');
    expect(here.posted).to.have.length(2);
    carry(here, there);
    expect(types(there)).to.deep.equal([...Array.from({ length: 29 }, () => 'tell'), 'asked']);
  });

  describe('with an actor nearby', () => {
    interface Plain {
      readonly type: string;
      readonly payload: unknown;
      readonly facts: EnvelopeFacts;
      readonly seq: number;
    }
    let plain: Plain[];
    let isFull: boolean;
    beforeEach(() => {
      plain = [];
      isFull = false;
      there.cell = {
        closed: false,
        knows: (type) => type !== 'unknown',
        acceptPlain: (type, payload, facts, seq) => {
          if (!isFull) plain.push({ type, payload, facts, seq });
          return !isFull;
        },
      };
    });

    const tell = (type: string, sender?: unknown): void =>
      here.link.send(new Envelope('actor', 'x', type, 1, { sender }));

    it('takes plain messages to it without envelopes, and says that they are done', () => {
      tell('a');
      tell('b', { name: 'n', id: 'i' });
      ask('c');
      tell('b');
      carry(here, there);
      expect(
        plain.map(({ type, payload, facts, seq }) => [type, payload, facts.sender, facts.from?.thread, seq]),
      ).to.deep.equal([
        ['a', 1, undefined, 0, 1],
        ['b', 1, { name: 'n', id: 'i' }, 0, 2],
        ['b', 1, undefined, 0, 4],
      ]);
      expect(types(there)).to.deep.equal(['c']);
      for (const { facts, seq } of plain) facts.from?.done(seq);
      there.answerAll(2);
      carry(there, here);
      expect([said, here.undelivered, here.link.unfinished]).to.deep.equal([['c: 2'], [], 0]);
    });

    it('makes envelopes for what the actor does not take, and what fails comes back', () => {
      isFull = true;
      tell('a');
      tell('unknown');
      carry(here, there);
      expect(there.arrived.map(({ type, fromThread, fromSeq }) => [type, fromThread, fromSeq])).to.deep.equal([
        ['a', 0, 1],
        ['unknown', 0, 2],
      ]);
      for (const { sink } of there.arrived) sink?.fail(LOST);
      carry(there, here);
      expect([here.undelivered, here.link.unfinished]).to.deep.equal([
        ['a: TROUPE_WORKER_LOST', 'unknown: TROUPE_WORKER_LOST'],
        0,
      ]);
    });

    it('hears of one that gets its envelope later', () => {
      tell('a');
      tell('b');
      carry(here, there);
      for (const { type, payload, facts, seq } of plain) {
        const envelope = sealed({ name: 'actor', id: 'x' }, type, payload, facts, seq);
        expect([envelope.fromThread, envelope.fromSeq]).to.deep.equal([0, seq]);
        if (type === 'a') envelope.sink?.fail(LOST);
        else envelope.sink?.reply(1, 0, 0);
      }
      carry(there, here);
      expect([here.undelivered, here.link.unfinished]).to.deep.equal([['a: TROUPE_WORKER_LOST'], 0]);
    });

    it('tells the successor of the thread that sent them nothing', () => {
      tell('a');
      tell('b');
      carry(here, there);
      there.link.lost(LOST);
      there.link.join();
      there.link.open();
      for (const { facts, seq } of plain) facts.from?.done(seq);
      plain[0]?.facts.from?.sinkOf(1).fail(LOST);
      there.link.flush();
      expect(there.posted).to.have.length(0);
    });
  });

  it('costs a lone message one frame each way, and no more', async () => {
    ask('a');
    await turn();
    expect(here.posted).to.have.length(1);
    carry(here, there);
    there.answerAll(1);
    await turn();
    expect(there.posted).to.have.length(1);
    carry(there, here);
    await turn();
    expect([here.posted.length, there.posted.length, said]).to.deep.equal([0, 0, ['a: 1']]);
  });

  it('says only that they are done of a run of messages without reply', () => {
    for (const type of ['a', 'b', 'c', 'd']) ask(type);
    carry(here, there);
    there.answerAll(undefined);
    there.link.flush();
    const { outcomes } = new FrameCodec().decode(there.posted[0] as Uint8Array);
    // One run: its kind, the first number, its length.
    expect(outcomes).to.have.length(3);
    expect(outcomes.slice(1)).to.deep.equal([1, 4]);
    carry(there, here);
    expect(said).to.deep.equal(['a: undefined', 'b: undefined', 'c: undefined', 'd: undefined']);
  });

  it('holds back the 9th message while 8 are on their way, and no longer than until they have come', () => {
    for (let n = 1; n <= 10; n += 1) ask(`m${n}`);
    carry(here, there);
    expect(types(there)).to.have.length(8);
    // They have come to their mailboxes, and nobody has handled one.
    carry(there, here);
    carry(here, there);
    expect(types(there)).to.have.length(10);
    expect(said).to.deep.equal([]);
    expect(here.link.unfinished).to.equal(10);
  });

  it('refuses what goes beyond 5 waiting messages, but none that waits for room', () => {
    for (let n = 1; n <= 14; n += 1) ask(`m${n}`);
    expect(said).to.deep.equal(['m14: TROUPE_MAILBOX_FULL']);
    ask('patient', 'aggregate', true);
    for (let n = 0; n < 4; n += 1) {
      carry(here, there);
      carry(there, here);
    }
    expect(types(there).at(-1)).to.equal('patient');
  });

  it('sends again to the successor what had no outcome, before what is newer, and fails the rest', () => {
    ask('a');
    ask('b', 'actor');
    here.link.send(new Envelope('actor', 'x', 'told', undefined, undefined));
    ask('c');
    carry(here, there);
    there.arrived.shift()?.sink?.reply(1, 0, 0);
    carry(there, here);
    here.link.lost(LOST, NO_SUSPECTS);
    ask('d');
    expect(said).to.deep.equal(['a: 1', 'b: TROUPE_WORKER_LOST']);
    expect(here.undelivered).to.deep.equal(['told: TROUPE_WORKER_LOST']);
    const successor = new End(0, true);
    here.link.join();
    here.link.open();
    carry(here, successor);
    expect(types(successor)).to.deep.equal(['c', 'd']);
  });

  it('gives the successor no outcome of what the dead one had sent', () => {
    ask('a');
    carry(here, there);
    const [old] = there.arrived;
    there.link.lost(LOST);
    there.link.join();
    there.link.open();
    old?.sink?.reply(1, 0, 0);
    there.link.flush();
    expect(there.posted).to.have.length(0);
  });

  it('tells a successor outcomes before it is open, and neither mail nor signals', () => {
    here.link.lost(LOST);
    ask('a');
    here.link.signal({ name: 'actor', id: 'x' }, { kind: 'stop' } as never);
    const successor = new End(0, true);
    here.link.join();
    successor.link.send(new Envelope('aggregate', 'x', 'early', undefined, { sink: new Outcome(said, 'early') }));
    carry(successor, here);
    here.answerAll('heard');
    carry(here, successor);
    expect(said).to.deep.equal(['early: heard']);
    expect(types(successor)).to.deep.equal([]);
    expect(successor.signalled).to.deep.equal([]);
    here.link.open();
    carry(here, successor);
    expect(types(successor)).to.deep.equal(['a']);
    expect(successor.signalled).to.deep.equal(['x']);
  });

  it('tries suspects one at a time, and convicts the one that is alone when the successor dies', async () => {
    for (const type of ['a', 'b', 'c']) ask(type);
    carry(here, there);
    here.link.lost(LOST, suspects(1, 2));
    const successor = new End(0, true);
    here.link.join();
    const tried = here.link.tryOut();
    carry(here, successor);
    expect(types(successor)).to.deep.equal(['a']);
    successor.answerAll(1);
    carry(successor, here);
    await turn();
    carry(here, successor);
    // Behind it for the same instance is nothing that may go; the next suspect goes alone.
    expect(types(successor)).to.deep.equal(['b']);
    here.link.lost(LOST, suspects(5));
    await tried;
    expect(here.quarantined).to.deep.equal(['b 0']);
    const third = new End(0, true);
    here.link.join();
    await here.link.tryOut();
    here.link.open();
    carry(here, third);
    expect(types(third)).to.deep.equal(['c']);
  });

  it('lets those for the same instance that came before a suspect go ahead of it, together', async () => {
    for (const type of ['a', 'b', 'suspect', 'c']) ask(type);
    carry(here, there);
    here.link.lost(LOST, suspects(3));
    const successor = new End(0, true);
    here.link.join();
    const tried = here.link.tryOut();
    carry(here, successor);
    expect(types(successor)).to.deep.equal(['a', 'b']);
    successor.answerAll(1);
    carry(successor, here);
    await turn();
    carry(here, successor);
    expect(types(successor)).to.deep.equal(['suspect']);
    successor.answerAll(1);
    carry(successor, here);
    await tried;
    here.link.open();
    carry(here, successor);
    expect(types(successor)).to.deep.equal(['c']);
  });

  it('fails everything without outcome when it ends', () => {
    for (let n = 1; n <= 10; n += 1) ask(`m${n}`);
    here.link.end(new TroupeError('TROUPE_SYSTEM_STOPPED', 'the system has stopped'));
    expect(said).to.deep.equal(Array.from({ length: 10 }, (_, i) => `m${i + 1}: TROUPE_SYSTEM_STOPPED`));
    expect(here.link.unfinished).to.equal(0);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
