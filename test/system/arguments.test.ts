/** Mistakes in arguments of the system are refused at once, by name; nothing is ignored in silence. */
import { expect } from 'chai';
import { ActorSystem, actor, aggregate, auditJournal, reaction, saga, TroupeError } from 'troupe';

const counter = aggregate({
  name: 'counter',
  initialState: () => ({ n: 0 }),
  events: { added: { apply: (state, data: { by: number }) => ({ n: state.n + data.by }) } },
  commands: { add: { handle: (_state, input: { by: number }, ctx) => ctx.emit('added', input) } },
});
const other = aggregate({ name: 'other', initialState: () => ({}), events: { seen: { apply: (s) => s } } });
const player = actor({ name: 'player', initialState: () => 0, receive: {} });
const stage = actor({
  name: 'stage',
  initialState: () => 0,
  receive: {
    async open(_state, options: unknown, ctx) {
      // Wrong on purpose: as JavaScript would call.
      const spawn = ctx.spawn as (definition: unknown, options: unknown) => unknown;
      return messageOf(() => spawn.call(ctx, player, options));
    },
  },
});
const count = saga({ name: 'count', run: () => 1 });
const follow = reaction({ name: 'follow', of: [other], on: { seen: () => undefined } });

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (error instanceof TroupeError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'no error';
}

describe('arguments of the system', () => {
  let system: ActorSystem;
  before(async () => {
    system = await ActorSystem.start({ cast: [counter, count, stage, player], workers: 0, journal: ':memory:' });
  });
  after(() => system.stop());

  // Wrong on purpose: as JavaScript would call.
  const any = (): Record<string, (...args: unknown[]) => unknown> => system as never;
  const event = { type: 'added', data: { by: 1 } };
  const cases: readonly [what: string, call: () => unknown, says: RegExp][] = [
    [
      'a misspelt option of append',
      () => any()['append']?.(counter, 'a', [event], { expectedVerson: 5 }),
      /expectedVersion/,
    ],
    [
      'an expected version of -1',
      () => any()['append']?.(counter, 'a', [event], { expectedVersion: -1 }),
      /expectedVersion.*-1/,
    ],
    ['no events to append', () => any()['append']?.(counter, 'a', []), /1 to 1,000 events/],
    ['a misspelt option of readAll', () => any()['readAll']?.({ afer: 1 }), /after/],
    ['types that are no array', () => any()['readAll']?.({ types: 'added' }), /types.*array/],
    ['a limit that is a text', () => any()['readAll']?.({ limit: 'x' }), /limit/],
    ['a misspelt option of history', () => any()['history']?.({ aggregat: 'counter' }), /aggregate/],
    ['a version that is a text', () => any()['state']?.(counter, 'a', { atVersion: 'x' }), /atVersion/],
    ['a time that is a text', () => any()['state']?.(counter, 'a', { atTime: 'x' }), /atTime/],
    ['a misspelt option of settled', () => any()['settled']?.({ timout: 5 }), /timeout/],
    [
      'a misspelt option of ask',
      () => system.ref(counter, 'a').ask('add', { by: 1 }, { recipt: true } as never),
      /receipt/,
    ],
    ['an option of ask that is no object', () => system.ref(counter, 'a').ask('add', { by: 1 }, 5 as never), /are 5/],
    [
      'options of append that are null',
      () => any()['append']?.(counter, 'a', [event], null),
      /are null; give an object/,
    ],
    ['options of spawn that are null', () => any()['spawn']?.(stage, null), /spawn: the options are null/],
    ['options of settled that are a number', () => any()['settled']?.(5), /settled: the options are 5/],
    ['options of start that are a number', () => system.ref(count, 'a').start(1, 5 as never), /are 5/],
    ['options of result that are null', () => system.ref(count, 'a').result(null as never), /are null/],
    [
      'a log that lacks a level',
      () => ActorSystem.start({ cast: [counter], workers: 0, journal: ':memory:', log: { info: () => 1 } as never }),
      /"log".*debug, info, warn and error/,
    ],
    ['an aggregate that is spawned', () => any()['spawn']?.(counter), /aggregate counter.*actor\(\)/],
    ['nothing that is spawned', () => any()['spawn']?.(), /undefined.*actor\(\)/],
    ['a reference to nothing', () => any()['ref']?.(undefined, 'a'), /undefined/],
    ['an empty id', () => system.ref(counter, '').ask('add', { by: 1 }), /id.*not empty/],
    // Two of them would be one and the same once they are stored.
    ['an id with half of a surrogate pair', () => system.ref(counter, '\ud800').ask('add', { by: 1 }), /surrogate/],
    [
      'an id of a command with half of a surrogate pair',
      () => system.ref(counter, 'a').ask('add', { by: 1 }, { id: 'c\udc00' }),
      /options\.id.*surrogate/,
    ],
    [
      'an id of an event with half of a surrogate pair',
      () => any()['append']?.(counter, 'a', [{ ...event, id: '\ud83d' }]),
      /events\[0\]\.id.*surrogate/,
    ],
    [
      'an id of a saga with half of a surrogate pair',
      () => system.ref(count, '\ud800').start(),
      /saga count.*surrogate/,
    ],
    ['an id to be read that is no text', () => any()['read']?.(counter, 1n), /read: the id is 1n/],
    ['an id to be spawned that is no text', () => any()['spawn']?.(stage, { id: Symbol('s') }), /spawn: the id/],
    ['reminders of what has no id', () => any()['reminders']?.(counter, null), /reminders: the id is null/],
    ['an audit without a path', () => auditJournal(undefined as never, { cast: [counter] }), /path is undefined/],
    ['an audit without options', () => auditJournal('a.db', undefined as never), /auditJournal.*give an object/],
    ['a misspelt option of result', () => system.ref(count, 'a').result({ timout: 5 } as never), /timeout/],
  ];
  for (const [what, call, says] of cases) {
    it(`refuse ${what}`, async () => {
      expect(await messageOf(call))
        .to.match(/^TROUPE_(INVALID_OPTIONS|UNKNOWN_ACTOR) /)
        .and.match(says);
    });
  }

  it('refuse options of a child that are no object, or misspelt', async () => {
    const parent = await system.spawn(stage, { id: 'parent' });
    expect(await parent.ask('open', 5)).to.match(/TROUPE_INVALID_OPTIONS stage\/parent: spawn: the options are 5/);
    expect(await parent.ask('open', { idd: 'x' })).to.match(/TROUPE_INVALID_OPTIONS .*unknown option "idd".*'id'/);
  });

  it('refuse a reaction to an aggregate that is not in the cast', async () => {
    const start = (): unknown => ActorSystem.start({ cast: [counter, follow], workers: 0, journal: ':memory:' });
    expect(await messageOf(start)).to.match(/TROUPE_INVALID_OPTIONS .*follow.*other/);
  });
});
