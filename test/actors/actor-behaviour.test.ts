/** Laws of changing behaviour: become and unbecome, stash and unstashAll, pipeToSelf, priorities. */
import { expect } from 'chai';
import { Subject } from 'rxjs';
import { actor } from '../../src/actors/actor-definition.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { isTroupeError } from '../../src/core/troupe-error.js';
import { ActorHarness, codeOf } from './actor-harness.js';

/** A door that keeps its callers waiting until it is open. */
const door = actor({
  name: 'door',
  mailbox: { capacity: 3 },
  initialState: () => ({ log: [] as string[] }),
  receive: {
    enter(_state, who: string, ctx) {
      ctx.stash();
      void who;
    },
    open(state, _payload: undefined, ctx) {
      state.log.push('open');
      ctx.become({
        enter(inner, who) {
          inner.log.push(String(who));
          if (who === 'thief') throw new Error('thief');
          return `welcome ${String(who)}`;
        },
        log: (inner) => inner.log,
      });
      ctx.unstashAll();
    },
    log: (state) => state.log,
    fail(_state, _payload: undefined, ctx) {
      ctx.stash();
      throw new Error('x');
    },
  },
});

describe('become and unbecome', () => {
  it('answers with the handlers of the moment, and goes back one step at a time', async () => {
    const mood = actor({
      name: 'mood',
      initialState: () => 0,
      receive: {
        how: () => 'fine',
        become(_state, text: string, ctx) {
          ctx.become({
            how: () => text,
            become: (_s, next, c) => c.become({ how: () => next, back: (_s2, _p, c2) => c2.unbecome() }),
            back: (_s, _p, c) => c.unbecome(),
          });
        },
        back: (_state, _payload: undefined, ctx) => ctx.unbecome(),
      },
    });
    const harness = new ActorHarness([mood]);
    const m = harness.spawn(mood, 'm');
    m.tell('back');
    expect(await m.ask('how')).to.equal('fine');
    m.tell('become', 'glad');
    m.tell('become', 'happy');
    expect(await m.ask('how')).to.equal('happy');
    m.tell('back');
    expect(await m.ask('how')).to.equal('glad');
    m.tell('back');
    expect(await m.ask('how')).to.equal('fine');
  });

  it('a known type without a handler at present: the ask fails with TROUPE_UNKNOWN_MESSAGE, the tell is a dead letter', async () => {
    const harness = new ActorHarness([door]);
    const d = harness.spawn(door, 'd');
    d.tell('open');
    expect(await codeOf(d.ask('fail'))).to.equal('TROUPE_UNKNOWN_MESSAGE');
    d.tell('fail');
    await harness.settled();
    expect(harness.dropped).to.deep.equal(['unknown-message fail']);
    expect(await d.ask('log')).to.deep.equal(['open']);
  });

  it('refuses handlers that are no functions, and warns of types that nobody can send', async () => {
    const odd = actor({
      name: 'odd',
      initialState: () => 0,
      receive: {
        wrong: (_state, _payload: undefined, ctx) => ctx.become({ wrong: 1 } as never),
        more: (_state, _payload: undefined, ctx) => ctx.become({ moer: () => 1 }),
      },
    });
    const harness = new ActorHarness([odd]);
    const o = harness.spawn(odd, 'o');
    expect(await codeOf(o.ask('wrong'))).to.equal('TROUPE_ACTOR_FAILED');
    await harness.clock.advance(50);
    await o.ask('more');
    expect(harness.logged.join('\n')).to.contain("moer, because receive doesn't name it; did you mean 'more'?");
  });

  it('a restart begins with the handlers of the definition', async () => {
    const harness = new ActorHarness([door]);
    const d = harness.spawn(door, 'd');
    d.tell('open');
    d.tell('enter', 'thief');
    await harness.clock.advance(50);
    expect(await d.ask('log')).to.deep.equal([]);
  });
});

describe('stash', () => {
  it('keeps messages aside, and hands them out in order and before newer mail; asks among them are answered then', async () => {
    const harness = new ActorHarness([door]);
    const d = harness.spawn(door, 'd');
    d.tell('enter', 'a');
    const b = d.ask('enter', 'b');
    await harness.settled();
    d.tell('open');
    d.tell('enter', 'c');
    expect(await b).to.equal('welcome b');
    expect(await d.ask('log')).to.deep.equal(['open', 'a', 'b', 'c']);
  });

  it('is as large as the mailbox: the 4th is a dead letter, an ask fails with TROUPE_MAILBOX_FULL', async () => {
    const harness = new ActorHarness([door]);
    const d = harness.spawn(door, 'd');
    for (const who of ['a', 'b', 'c', 'd']) {
      d.tell('enter', who);
      await harness.settled();
    }
    expect(harness.dropped).to.deep.equal(['mailbox-full enter']);
    expect(await codeOf(d.ask('enter', 'e'))).to.equal('TROUPE_MAILBOX_FULL');
    // Mailbox and stash have a bound each.
    for (const who of ['f', 'g']) d.tell('enter', who);
    d.tell('open');
    await harness.settled();
    expect(harness.letters.map((letter) => letter.payload)).to.deep.equal(['d', 'f', 'g']);
    expect(await d.ask('log')).to.deep.equal(['open', 'a', 'b', 'c']);
  });

  it('does not keep a message that failed after it was set aside', async () => {
    const harness = new ActorHarness([door]);
    const d = harness.spawn(door, 'd');
    d.tell('enter', 'a');
    d.tell('fail');
    await harness.clock.advance(50);
    d.tell('open');
    expect(await d.ask('log')).to.deep.equal(['open', 'a']);
    expect(harness.dropped).to.deep.equal(['failed fail']);
  });

  it('survives a restart: what was set aside is handled first by the next life', async () => {
    const lives: string[][] = [];
    const careful = actor({
      name: 'careful',
      initialState: () => {
        const seen: string[] = [];
        lives.push(seen);
        return seen;
      },
      receive: {
        note(state, text: string, ctx) {
          if (lives.length === 1) ctx.stash();
          else state.push(text);
        },
        fail() {
          throw new Error('x');
        },
      },
    });
    const harness = new ActorHarness([careful]);
    const c = harness.spawn(careful, 'c');
    for (const text of ['1', '2']) c.tell('note', text);
    c.tell('fail');
    c.tell('note', '3');
    await harness.clock.advance(50);
    expect(lives).to.deep.equal([[], ['1', '2', '3']]);
  });

  it('becomes dead letters when the actor stops, and asks among it fail', async () => {
    const harness = new ActorHarness([door]);
    const d = harness.spawn(door, 'd');
    d.tell('enter', 'a');
    const b = codeOf(d.ask('enter', 'b'));
    await harness.settled();
    await d.stop();
    expect(await b).to.equal('TROUPE_ACTOR_STOPPED');
    expect(harness.dropped).to.deep.equal(['stopped enter']);
  });

  it('does not count as something to do', async () => {
    const harness = new ActorHarness([door]);
    harness.spawn(door, 'd').tell('enter', 'a');
    await harness.settled();
    expect(harness.host.busy).to.be.false;
  });

  it('outside of a message there is nothing to set aside', async () => {
    const early = actor({ name: 'early', initialState: () => 0, started: (_state, ctx) => ctx.stash(), receive: {} });
    const harness = new ActorHarness([early], { supervision: { decide: () => 'stop' } });
    harness.spawn(early, 'e');
    await harness.settled();
    expect(harness.host.size).to.equal(0);
  });
});

describe('pipeToSelf', () => {
  const settle: { resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  const piping = actor({
    name: 'piping',
    mailbox: { capacity: 1 },
    initialState: () => ({ got: [] as unknown[] }),
    receive: {
      pipe(_state, type: string, ctx) {
        ctx.pipeToSelf(new Promise((resolve, reject) => settle.push({ resolve, reject })), type);
      },
      got: (state, value: unknown, ctx) => void state.got.push([value, ctx.sender?.id]),
      all: (state) => state.got,
      hang: () => new Promise((resolve) => setImmediate(resolve)),
      fail() {
        throw new Error('x');
      },
    },
  });
  const start = async () => {
    settle.length = 0;
    const harness = new ActorHarness([piping]);
    const p = harness.spawn(piping, 'p');
    p.tell('pipe', 'got');
    await harness.settled();
    return { harness, p };
  };

  it('sends what the promise resolves with, also when the mailbox is full', async () => {
    const { harness, p } = await start();
    p.tell('hang');
    await Promise.resolve();
    p.tell('got', 1);
    settle[0]?.resolve(7);
    await harness.settled();
    expect(await p.ask('all')).to.deep.equal([
      [1, undefined],
      [7, 'p'],
    ]);
    expect(harness.letters).to.be.empty;
  });

  it('a rejection takes the path of a throw: a dead letter, and the supervisor', async () => {
    const { harness, p } = await start();
    p.tell('got', 1);
    await harness.settled();
    settle[0]?.reject(new RangeError('lost'));
    await harness.clock.advance(50);
    expect(await p.ask('all')).to.deep.equal([]);
    expect(harness.dropped).to.deep.equal(['failed got']);
    expect(harness.letters[0]?.error?.cause).to.equal('RangeError: lost');
  });

  it('what cannot be sent takes the path of a throw too', async () => {
    const { harness, p } = await start();
    settle[0]?.resolve(() => 1);
    await harness.clock.advance(50);
    expect(harness.letters[0]?.error?.cause).to.contain('a function');
    expect(await p.ask('all')).to.deep.equal([]);
  });

  it('what comes after the life that began it is a dead letter, and fails nobody', async () => {
    for (const how of ['resolve', 'reject'] as const) {
      const { harness, p } = await start();
      p.tell('fail');
      await harness.clock.advance(50);
      settle[0]?.[how]('late');
      await harness.clock.advance(500);
      expect(await p.ask('all')).to.deep.equal([]);
      expect(harness.dropped).to.deep.equal(['failed fail', how === 'resolve' ? 'stopped got' : 'failed got']);
    }
  });

  it('refuses a type without a handler at the call', async () => {
    const { harness, p } = await start();
    p.tell('pipe', 'gto');
    await harness.settled();
    expect(harness.letters[0]?.error?.cause).to.contain("did you mean 'got'?");
  });
});

describe('priorities', () => {
  const sorted = actor({
    name: 'sorted',
    mailbox: { capacity: 6, priority: (type) => (type === 'urgent' ? 5 : 0) },
    initialState: () => [] as string[],
    receive: {
      urgent: (state, text: string) => void state.push(text),
      normal: (state, text: string) => void state.push(text),
      all: (state) => [...state],
      hang: () => new Promise((resolve) => setImmediate(resolve)),
    },
  });

  it('higher first, in order among equals; what the sender gives goes before what the definition says', async () => {
    const harness = new ActorHarness([sorted]);
    const s = harness.spawn(sorted, 's');
    s.tell('normal', 'n1');
    s.tell('urgent', 'u1');
    s.tell('normal', 'n2', { priority: 9 });
    s.tell('urgent', 'u2');
    s.tell('urgent', 'u3', { priority: 0 });
    s.tell('normal', 'n3', { priority: -1 });
    await harness.settled();
    expect(await s.ask('all')).to.deep.equal(['n2', 'u1', 'u2', 'n1', 'u3', 'n3']);
  });

  it('count on a bounded mailbox that is full and from the first message that has one', async () => {
    const harness = new ActorHarness([sorted]);
    const s = harness.spawn(sorted, 's');
    for (let i = 1; i <= 6; i += 1) s.tell('normal', `n${i}`);
    const urgent = s.send('urgent', 'u');
    s.tell('urgent', 'refused');
    await harness.settled();
    await urgent;
    expect(harness.letters.map((letter) => letter.payload)).to.deep.equal(['refused']);
    expect((await s.ask('all')).slice(0, 3)).to.deep.equal(['n1', 'u', 'n2']);
  });

  it('a priority that is no number is refused to the sender', async () => {
    const harness = new ActorHarness([sorted]);
    const s = harness.spawn(sorted, 's');
    expect(() => s.tell('normal', 'x', { priority: Number.NaN })).to.throw('options.priority is NaN');
    await harness.settled();
  });

  it('one that throws is refused to the sender, with its cause', () => {
    const picky = actor({
      name: 'picky',
      mailbox: { priority: () => JSON.parse('{') as number },
      initialState: () => 0,
      receive: { put: () => undefined },
    });
    const ref = new ActorHarness([picky]).spawn(picky, 'p');
    expect(() => ref.tell('put'))
      .to.throw(/mailbox\.priority threw for put/)
      .with.property('code', 'TROUPE_INVALID_OPTIONS');
  });
});

describe('mistakes of handlers', () => {
  it('are refused by what was called and what was given, and harm nobody', async () => {
    const wrong: readonly unknown[] = [null, 5, 'target', {}, { name: 'nobody', id: 'a' }, { name: 'clumsy' }];
    const clumsy = actor({
      name: 'clumsy',
      initialState: () => [] as string[],
      receive: {
        try(state, call: 'stop' | 'watch' | 'unwatch' | 'ref' | 'pipeToSelf', ctx) {
          // As JavaScript would call.
          const any = ctx as unknown as Record<string, (...args: unknown[]) => unknown>;
          const calls =
            call === 'pipeToSelf'
              ? [() => any[call]?.(Promise.resolve(1))]
              : wrong
                  .filter((one) => call !== 'ref' || !(one as { name?: string } | null)?.name)
                  .map((one) => () => any[call]?.(one, 'a'));
          for (const attempt of calls) {
            try {
              attempt();
              state.push('no error');
            } catch (error) {
              state.push(isTroupeError(error) ? error.message : String(error));
            }
          }
          return state.splice(0);
        },
      },
    });
    const harness = new ActorHarness([clumsy]);
    const ref = harness.spawn(clumsy, 'c');
    for (const call of ['stop', 'watch', 'unwatch', 'ref'] as const) {
      const told = await ref.ask('try', call);
      expect(told.length).to.be.at.least(4);
      for (const message of told) expect(message).to.match(new RegExp(`^clumsy/c: ${call} of `));
    }
    expect(await ref.ask('try', 'pipeToSelf')).to.deep.equal([
      'clumsy/c: pipeToSelf to undefined, which there is no handler for',
    ]);
  });
});

describe('events of a context', () => {
  it('end with the life that subscribed to them', async () => {
    const seen: string[] = [];
    let lives = 0;
    const listener = actor({
      name: 'listener',
      initialState: () => (lives += 1),
      started: (state, ctx) => void ctx.events.subscribe((event) => seen.push(`${state} ${event.type}`)),
      receive: {
        fail() {
          throw new Error('x');
        },
      },
    });
    const events$ = new Subject<RecordedEvent>();
    const harness = new ActorHarness([listener], { host: { events$ } });
    const l = harness.spawn(listener, 'l');
    await harness.settled();
    const emit = (type: string): void => events$.next({ type } as RecordedEvent);
    emit('a');
    l.tell('fail');
    await harness.clock.advance(50);
    emit('b');
    await l.stop();
    emit('c');
    expect(seen).to.deep.equal(['1 a', '2 b']);
    expect(events$.observed).to.be.false;
  });
});

describe('offload', () => {
  const heavy = actor({
    name: 'heavy',
    initialState: () => 0,
    receive: { go: (_state, n: number, ctx) => ctx.offload((input: number) => input * 2, n) },
  });

  it('without pool threads fails with a clear error', async () => {
    const harness = new ActorHarness([heavy]);
    const error = await harness
      .spawn(heavy, 'h')
      .ask('go', 2)
      .then(
        () => undefined,
        (e: unknown) => e as Error,
      );
    expect(error?.message).to.contain('offload() needs pool threads');
  });

  it('runs where the system says', async () => {
    const offload = async (run: (input: never) => unknown, input: unknown): Promise<unknown> => run(input as never);
    const harness = new ActorHarness([heavy], { host: { offload } });
    expect(await harness.spawn(heavy, 'h').ask('go', 2)).to.equal(4);
  });
});
