/**
 * Savina's micro benchmarks: what single mechanisms cost (messages, creation, contention, many to many).
 */
import { type ActorRef, actor } from 'troupe';
import { PATIENT, pour, type SavinaBench, sized, whenDone } from './savina-bench.js';

const LARGE = { capacity: 1_000_000 } as const;

// Ping Pong

export const ponger = actor({
  name: 'ponger',
  initialState: () => ({ count: 0 }),
  receive: {
    ping(state, left: number, ctx) {
      state.count += 1;
      ctx.sender?.tell('pong', left);
    },
    count: (state) => state.count,
  },
});

export const pinger = actor({
  name: 'pinger',
  initialState: (): { count: number; over: number | undefined } => ({ count: 0, over: undefined }),
  receive: {
    start(_state, { pong, pings }: { pong: ActorRef<typeof ponger>; pings: number }, ctx) {
      ctx.ref(ponger, pong.id).tell('ping', pings - 1);
    },
    pong(state, left: number, ctx) {
      state.count += 1;
      if (left > 0) ctx.sender?.tell('ping', left - 1);
      else {
        state.over = state.count;
        ctx.unstashAll();
      }
    },
    result: (state, _payload: undefined, ctx) => whenDone(state.over, ctx),
  },
});

export const pingPong: SavinaBench = {
  name: 'ping-pong',
  question: '40,000 pings and as many pongs',
  async play(system, scale) {
    const pings = sized(40_000, scale);
    const pong = await system.spawn(ponger, { id: 'pong' });
    const ping = await system.spawn(pinger, { id: 'ping' });
    ping.tell('start', { pong, pings });
    const pongs = (await ping.ask('result', undefined, PATIENT)) ?? 0;
    return { expected: 2 * pings, counted: pongs + (await pong.ask('count')), answer: pongs, known: pings };
  },
};

// Counting

export const tally = actor({
  name: 'savina-tally',
  mailbox: LARGE,
  initialState: () => ({ count: 0 }),
  receive: {
    increment(state) {
      state.count += 1;
    },
    count: (state) => state.count,
  },
});

export const producer = actor({
  name: 'savina-producer',
  initialState: () => 0,
  receive: {
    async produce(_state, { id, messages }: { id: string; messages: number }, ctx) {
      await pour(ctx.ref(tally, id) as ActorRef, 'increment', undefined, messages);
      return ctx.ref(tally, id).ask('count', undefined, PATIENT);
    },
  },
});

export const counting: SavinaBench = {
  name: 'counting',
  question: '1,000,000 messages from one actor to another',
  async play(system, scale) {
    const messages = sized(1_000_000, scale);
    await system.spawn(tally, { id: 'tally' });
    const from = await system.spawn(producer, { id: 'producer' });
    const answer = await from.ask('produce', { id: 'tally', messages }, PATIENT);
    return { expected: messages, counted: answer, answer, known: messages };
  },
};

// Fork Join, throughput and creation

export const forkJoinThroughput: SavinaBench = {
  name: 'fork-join-throughput',
  question: '60 actors get 10,000 messages each, in turns',
  async play(system, scale) {
    const actors = 60;
    const each = sized(10_000, scale);
    const refs = await Promise.all(Array.from({ length: actors }, (_, i) => system.spawn(tally, { id: `fj-${i}` })));
    for (let i = 0; i < each; i += 1) {
      const wait = i % 50 === 49;
      for (const ref of refs) if (!wait) ref.tell('increment');
      if (wait) await Promise.all(refs.map((ref) => ref.send('increment', undefined, PATIENT)));
    }
    const counts = await Promise.all(refs.map((ref) => ref.ask('count', undefined, PATIENT)));
    const counted = counts.reduce((sum, count) => sum + count, 0);
    return { expected: actors * each, counted, answer: Math.min(...counts), known: each };
  },
};

export const forker = actor({
  name: 'savina-forker',
  initialState: (): { born: number; wanted: number; done: number | undefined } => ({
    born: 0,
    wanted: 0,
    done: undefined,
  }),
  mailbox: LARGE,
  receive: {
    fork(state, count: number, ctx) {
      state.wanted = count;
      for (let i = 0; i < count; i += 1) ctx.spawn(forked).tell('work', 37.2);
    },
    joined(state, _payload: undefined, ctx) {
      state.born += 1;
      if (state.born < state.wanted) return;
      state.done = state.born;
      ctx.unstashAll();
    },
    result: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

export const forked = actor({
  name: 'savina-forked',
  initialState: () => 0,
  receive: {
    work(_state, angle: number, ctx) {
      if (Math.sin(angle) * Math.sin(angle) > 1) throw new Error('there is no such angle');
      ctx.sender?.tell('joined');
      ctx.stop();
    },
  },
});

export const forkJoinCreation: SavinaBench = {
  name: 'fork-join-creation',
  question: '40,000 actors are created for one message each',
  async play(system, scale) {
    const count = sized(40_000, scale);
    const ref = await system.spawn(forker, { id: 'forker' });
    ref.tell('fork', count);
    const answer = (await ref.ask('result', undefined, PATIENT)) ?? 0;
    return { expected: 2 * count, counted: 2 * answer, answer, known: count };
  },
};

// Thread Ring

export const ringer = actor({
  name: 'savina-ringer',
  initialState: (next: string): { next: string; count: number; over: number | undefined } => ({
    next,
    count: 0,
    over: undefined,
  }),
  receive: {
    pass(state, left: number, ctx) {
      state.count += 1;
      if (left > 0) ctx.ref(ringer, state.next).tell('pass', left - 1);
      else ctx.ref(ringer, 'ring-0').tell('ended');
    },
    ended(state, _payload: undefined, ctx) {
      state.over = 1;
      ctx.unstashAll();
    },
    over: (state, _payload: undefined, ctx) => whenDone(state.over, ctx),
    count: (state) => state.count,
  },
});

export const threadRing: SavinaBench = {
  name: 'thread-ring',
  question: 'one message goes round 100 actors, 100,000 times from one to the next',
  async play(system, scale) {
    const hops = sized(100_000, scale);
    const size = 100;
    const refs = await Promise.all(
      Array.from({ length: size }, (_, i) => system.spawn(ringer, { id: `ring-${i}`, args: `ring-${(i + 1) % size}` })),
    );
    refs[0]?.tell('pass', hops - 1);
    await refs[0]?.ask('over', undefined, PATIENT);
    const counts = await Promise.all(refs.map((ref) => ref.ask('count')));
    const counted = counts.reduce((sum, count) => sum + count, 0);
    return { expected: hops, counted, answer: counts[(hops - 1) % size] ?? 0, known: Math.ceil(hops / size) };
  },
};

// Chameneos

type Colour = 0 | 1 | 2;

/** Two that meet take the third colour, or keep the one they share. */
function complement(mine: Colour, other: Colour): Colour {
  return mine === other ? mine : ((3 - mine - other) as Colour);
}

export const mall = actor({
  name: 'savina-mall',
  initialState: (args: { meetings: number; chameneos: number }) => ({
    ...args,
    met: 0,
    faded: 0,
    waiting: undefined as ActorRef | undefined,
    waitingColour: 0 as Colour,
    done: undefined as number | undefined,
  }),
  receive: {
    meet(state, colour: Colour, ctx) {
      const { sender } = ctx;
      if (sender === null) return;
      if (state.met === state.meetings) sender.tell('fade');
      else if (state.waiting === undefined) {
        state.waiting = sender;
        state.waitingColour = colour;
      } else {
        state.met += 1;
        state.waiting.tell('met', complement(state.waitingColour, colour));
        sender.tell('met', complement(colour, state.waitingColour));
        state.waiting = undefined;
      }
    },
    faded(state, meetings: number, ctx) {
      state.faded += meetings;
      state.chameneos -= 1;
      if (state.chameneos > 0) return;
      state.done = state.faded;
      ctx.unstashAll();
    },
    result: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

export const chameneo = actor({
  name: 'savina-chameneo',
  initialState: (colour: Colour) => ({ colour, meetings: 0 }),
  receive: {
    start(state, to: ActorRef, ctx) {
      ctx.ref(mall, to.id).tell('meet', state.colour);
    },
    met(state, colour: Colour, ctx) {
      state.meetings += 1;
      state.colour = colour;
      ctx.sender?.tell('meet', colour);
    },
    fade(state, _payload: undefined, ctx) {
      ctx.sender?.tell('faded', state.meetings);
    },
  },
});

export const chameneos: SavinaBench = {
  name: 'chameneos',
  question: '100 chameneos meet in pairs, 200,000 times',
  async play(system, scale) {
    const meetings = sized(200_000, scale);
    const count = 100;
    const where = await system.spawn(mall, { id: 'mall', args: { meetings, chameneos: count } });
    for (let i = 0; i < count; i += 1) {
      const one = await system.spawn(chameneo, { id: `chameneo-${i}`, args: (i % 3) as Colour });
      one.tell('start', where);
    }
    // Each meeting is counted by both.
    const answer = (await where.ask('result', undefined, PATIENT)) ?? 0;
    return { expected: 4 * meetings, counted: 2 * answer, answer, known: 2 * meetings };
  },
};

// Big

export const big = actor({
  name: 'savina-big',
  mailbox: LARGE,
  initialState: (args: { me: number; actors: number; pings: number }) => ({
    ...args,
    seed: args.me + 1,
    pongs: 0,
    pinged: 0,
    done: undefined as number | undefined,
  }),
  receive: {
    start(state, _payload: undefined, ctx) {
      ctx.ref(big, `big-${anyOther(state)}`).tell('ping');
    },
    ping(state, _payload: undefined, ctx) {
      state.pinged += 1;
      ctx.sender?.tell('pong');
    },
    pong(state, _payload: undefined, ctx) {
      state.pongs += 1;
      if (state.pongs < state.pings) ctx.ref(big, `big-${anyOther(state)}`).tell('ping');
      else {
        state.done = state.pongs;
        ctx.unstashAll();
      }
    },
    result: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
    pinged: (state) => state.pinged,
  },
});

function anyOther(state: { seed: number; actors: number }): number {
  state.seed = (Math.imul(state.seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return state.seed % state.actors;
}

export const bigBench: SavinaBench = {
  name: 'big',
  question: '120 actors ping one another at random, 20,000 pings each',
  async play(system, scale) {
    const actors = 120;
    const pings = sized(20_000, scale);
    const refs = await Promise.all(
      Array.from({ length: actors }, (_, me) => system.spawn(big, { id: `big-${me}`, args: { me, actors, pings } })),
    );
    for (const ref of refs) ref.tell('start');
    let pongs = 0;
    for (const ref of refs) {
      const some = (await ref.ask('result', undefined, PATIENT)) ?? 0;
      pongs += some;
    }
    let pinged = 0;
    for (const ref of refs) {
      const some = await ref.ask('pinged');
      pinged += some;
    }
    return { expected: 2 * actors * pings, counted: pongs + pinged, answer: pinged, known: actors * pings };
  },
};
