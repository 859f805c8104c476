/**
 * Savina's Chameneos: many meet in pairs at one mall, and change their colours.
 */
import { type ActorRef, actor } from 'troupe';
import { PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

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
