/** What `aggregate()` makes of its options, and what it refuses. */
import { expect } from 'chai';
import { z } from 'zod';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import { expectRefusal } from '../expect-refusal.js';

const apply = (state: unknown) => state;
const handle = () => undefined;

/** As from JavaScript: no type stands between the test and the check. */
function define(options: Record<string, unknown>): ReturnType<typeof aggregate> {
  return aggregate({ name: 'order', initialState: () => ({}), events: {}, ...options });
}

describe('aggregate()', () => {
  it('refuses a name that ids and tables could not carry', () => {
    for (const name of [undefined, '', '1st', '-a', 'a b', 'a/b', 'a@b', 'é', 'a'.repeat(101), 7]) {
      expectRefusal(() => define({ name }), 'aggregate(): option "name"', 'a letter first');
    }
    for (const name of ['a', 'Order', 'order-line.v2_x', 'a'.repeat(100), 'constructor', 'toString']) {
      expect(define({ name }).name).to.equal(name);
    }
  });

  it('refuses a missing initial state, missing events, and options that are no object', () => {
    expectRefusal(() => define({ initialState: undefined }), 'aggregate order', '"initialState" is missing');
    expectRefusal(() => define({ events: undefined }), '"events" is missing');
    expectRefusal(() => aggregate(undefined as never), 'aggregate()', 'give an object');
  });

  it('refuses an unknown option, with the one that was meant', () => {
    expectRefusal(() => define({ snapshots: {} }), 'aggregate order', '"snapshots"', "did you mean 'snapshot'?");
    expectRefusal(() => define({ events: { made: { apply, shema: 1 } } }), '"events.made.shema"', "'schema'");
    expectRefusal(() => define({ commands: { make: { handle, emits: [] } } }), '"commands.make.emits"');
    expectRefusal(() => define({ mailbox: { priority: () => 0 } }), '"mailbox.priority"');
    expectRefusal(() => define({ snapshot: { every: 1, kep: 2 } }), '"snapshot.kep"', "'keep'");
  });

  it('refuses a name that is a command and a query', () => {
    expectRefusal(
      () => define({ commands: { total: { handle } }, queries: { total: () => 0 } }),
      'aggregate order',
      '"queries.total"',
      'a command or a query, not both',
    );
  });

  it('refuses types without a name, and of more than 200 characters', () => {
    for (const type of ['', 'x'.repeat(201)]) {
      expectRefusal(() => define({ events: { [type]: { apply } } }), '1 to 200 characters');
      expectRefusal(() => define({ commands: { [type]: { handle } } }), '1 to 200 characters');
      expectRefusal(() => define({ queries: { [type]: () => 0 } }), '1 to 200 characters');
    }
    expect(define({ events: { ['x'.repeat(200)]: { apply } } }).options.events.size).to.equal(1);
  });

  it('refuses an event without apply, a command without handle, a query that is no function', () => {
    expectRefusal(() => define({ events: { made: {} } }), '"events.made.apply" is missing', '(state, data, event)');
    expectRefusal(() => define({ events: { made: apply } }), '"events.made" is a function', 'give an object');
    expectRefusal(() => define({ commands: { make: {} } }), '"commands.make.handle" is missing', '(state, input, ctx)');
    expectRefusal(() => define({ queries: { total: 1 } }), '"queries.total" is 1', '(state, input)');
  });

  it('refuses a schema that is no Standard Schema', () => {
    expectRefusal(
      () => define({ events: { made: { apply, schema: { type: 'object' } } } }),
      '"events.made.schema"',
      'zod',
    );
    expectRefusal(() => define({ commands: { make: { handle, schema: 'string' } } }), '"commands.make.schema"', 'zod');
  });

  it('refuses an event version that is no integer of 1 or more', () => {
    for (const version of [0, -1, 1.5, '2', NaN, Infinity]) {
      expectRefusal(() => define({ events: { made: { apply, version } } }), '"events.made.version"', 'at least 1');
    }
  });

  it('refuses an upcaster from a version that is no older one', () => {
    const upcast = (from: string) => () =>
      define({ events: { made: { apply, version: 3, upcast: { [from]: apply } } } });
    for (const from of ['0', '3', '4', '-1', '1.5', '01', 'one'])
      expectRefusal(upcast(from), '"events.made.upcast', '1 to 2');
    expectRefusal(() => define({ events: { made: { apply, upcast: { 1: apply } } } }), 'set "version"');
    expectRefusal(
      () => define({ events: { made: { apply, version: 2, upcast: { 1: 'x' } } } }),
      '"events.made.upcast.1"',
    );
  });

  it('takes an event whose upcasters have a gap: the journal may have no events that need it', () => {
    const { events } = define({ events: { made: { apply, version: 4, upcast: { 2: apply } } } }).options;
    expect([...(events.get('made')?.upcast.keys() ?? [])]).to.deep.equal([2]);
  });

  it('refuses a snapshot policy that never says when, and numbers below 1', () => {
    expectRefusal(() => define({ snapshot: {} }), '"snapshot.every" is missing', 'bytes', 'when');
    expectRefusal(() => define({ snapshot: { keep: 2 } }), '"snapshot.every" is missing');
    expectRefusal(() => define({ snapshot: { bytes: 0 } }), '"snapshot.bytes"', 'at least 1');
    expectRefusal(() => define({ snapshot: { when: true } }), '"snapshot.when"', 'give a function');
    for (const every of [0, -1, 0.5, '100', Infinity])
      expectRefusal(() => define({ snapshot: { every } }), '"snapshot.every"', 'at least 1');
    expectRefusal(() => define({ snapshot: { every: 1, keep: 0 } }), '"snapshot.keep"');
    expectRefusal(() => define({ snapshot: { every: 1, version: 0 } }), '"snapshot.version"');
    expectRefusal(() => define({ snapshot: 100 }), '"snapshot" is 100');
  });

  it('refuses a mailbox of less than 1 message, and an unknown overflow policy', () => {
    for (const capacity of [0, -1, 1.5, '10', NaN]) {
      expectRefusal(() => define({ mailbox: { capacity } }), '"mailbox.capacity"', 'at least 1, or Infinity');
    }
    expectRefusal(() => define({ mailbox: { overflow: 'drop' } }), '"mailbox.overflow"', "'drop-oldest'");
  });

  it('refuses a time of passivation that is no duration', () => {
    expectRefusal(() => define({ passivateAfter: 'a while' }), 'option "passivateAfter"', "'a while'");
  });

  it('fills in defaults: capacity 10,000, reject, passivation after 60,000 ms, no snapshots', () => {
    expect(define({}).options).to.deep.include({
      snapshot: undefined,
      passivateAfterMs: 60_000,
      mailbox: { capacity: 10_000, overflow: 'reject' },
    });
    expect(define({ snapshot: { every: 100 } }).options.snapshot).to.deep.include({ every: 100, keep: 2, version: 1 });
    expect(define({ events: { made: { apply } } }).options.events.get('made')).to.include({
      version: 1,
      schema: undefined,
    });
  });

  it('reads durations and Infinity', () => {
    expect(define({ passivateAfter: '2h' }).options.passivateAfterMs).to.equal(7_200_000);
    expect(define({ passivateAfter: Infinity, mailbox: { capacity: Infinity } }).options).to.deep.include({
      passivateAfterMs: Infinity,
      mailbox: { capacity: Infinity, overflow: 'reject' },
    });
  });

  it('keeps schema and functions as they are', () => {
    const schema = z.object({});
    const { events, commands } = define({
      events: { made: { schema, apply } },
      commands: { make: { schema, handle } },
    }).options;
    expect(events.get('made')).to.include({ schema, apply });
    expect(commands.get('make')).to.include({ schema, handle });
  });

  it('neither knows nor breaks types that every object has', () => {
    const inherited = ['toString', 'constructor', 'hasOwnProperty', '__proto__'];
    const empty = define({}).options;
    for (const type of inherited) {
      expect(empty.events.has(type) || empty.commands.has(type) || empty.queries.has(type)).to.equal(false);
    }
    const full = define({
      events: Object.fromEntries(inherited.map((type) => [type, { apply }])),
      commands: Object.fromEntries(inherited.map((type) => [type, { handle }])),
    }).options;
    expect([...full.events.keys()]).to.have.members(inherited);
    for (const type of inherited) expect(full.commands.get(type)?.handle).to.equal(handle);
  });

  it('is frozen, and not changed by what happens to its options later', () => {
    const options = {
      name: 'order',
      initialState: () => 0,
      events: { made: { apply: () => 1 } },
      mailbox: { capacity: 5 },
    };
    const definition = aggregate(options);
    options.mailbox.capacity = 6;
    options.events.made.apply = () => 2;
    expect(definition.options.mailbox.capacity).to.equal(5);
    expect(definition.options.events.get('made')?.apply(0, 0, undefined as never)).to.equal(1);
    for (const part of [definition, definition.options, definition.options.mailbox])
      expect(Object.isFrozen(part)).to.equal(true);
  });
});
