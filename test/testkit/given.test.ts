/** given … when … expect …: what it accepts, and what it says when an expectation fails. */
import { AssertionError } from 'node:assert';
import { expect } from 'chai';
import { actor, aggregate, reaction } from 'troupe';
import { given } from 'troupe/testkit';
import { z } from 'zod';

interface AccountState {
  readonly owner: string | null;
  readonly balance: number;
}

const account = aggregate({
  name: 'account',
  initialState: (): AccountState => ({ owner: null, balance: 0 }),
  events: {
    'account.opened': {
      version: 3,
      schema: z.object({ owner: z.string(), currency: z.string().default('GBP') }),
      upcast: {
        1: (data) => ({ owner: (data as { name: string }).name }),
        2: (data) => ({ ...data, currency: 'EUR' }),
      },
      apply: (state, data) => ({ ...state, owner: `${data.owner} (${data.currency})` }),
    },
    'account.deposited': {
      schema: z.object({ amount: z.number().positive() }),
      apply: (state, data) => ({ ...state, balance: state.balance + data.amount }),
    },
  },
  commands: {
    deposit: {
      schema: z.object({ amount: z.number().max(1_000) }),
      handle(state, input, ctx) {
        if (state.owner === null) ctx.reject('not-open', `account ${ctx.id} is not open`);
        ctx.emit('account.deposited', input);
        return state.balance + input.amount;
      },
    },
    depositLater: {
      async handle(state, input: { amount: number }, ctx) {
        await Promise.resolve();
        if (state.owner === null) return ctx.reject('not-open');
        ctx.emit('account.deposited', input);
        return state.balance + input.amount;
      },
    },
    tell: {
      handle(_state, _input: unknown, ctx) {
        const { id, correlationId, causationId, metadata } = ctx.command;
        return { id, correlationId, causationId, metadata, aggregate: ctx.id, now: ctx.now(), version: ctx.version };
      },
    },
    spoil: {
      handle(state) {
        (state as { balance: number }).balance = 1_000_000;
      },
    },
    nothing: { handle: () => undefined },
  },
  queries: { owner: (state) => state.owner },
});

const opened = { type: 'account.opened', data: { owner: 'Ada', currency: 'GBP' } } as const;
const deposited = (amount: number) => ({ type: 'account.deposited', data: { amount } }) as const;

function failureOf(check: () => unknown): AssertionError {
  try {
    check();
  } catch (error) {
    expect(error).to.be.instanceOf(AssertionError);
    return error as AssertionError;
  }
  throw new Error('the expectation held');
}

async function laterFailureOf(chain: PromiseLike<unknown>): Promise<AssertionError> {
  return chain.then(
    () => {
      throw new Error('the expectation held');
    },
    (error: unknown) => {
      expect(error).to.be.instanceOf(AssertionError);
      return error as AssertionError;
    },
  );
}

describe('given', () => {
  describe('says what is wrong', () => {
    it('refuses at once what is no aggregate, and says what it takes', () => {
      const notify = reaction({ name: 'notify', of: [account], on: {} });
      const clerk = actor({ name: 'clerk', initialState: () => 0, receive: {} });
      for (const [definition, shown] of [
        [notify, 'the reaction notify'],
        [clerk, 'the actor clerk'],
        [undefined, 'undefined'],
        [null, 'null'],
        ['account', "'account'"],
        [{ name: 'account' }, 'an object'],
      ] as const) {
        // Wrong on purpose: as JavaScript would call.
        expect(() => given(definition as never))
          .to.throw(`given: the definition is ${shown}; give one made by aggregate()`)
          .with.property('code', 'TROUPE_INVALID_OPTIONS');
      }
    });

    it('shows expected and actual events, and where they first differ', () => {
      const when = given(account, opened).when('deposit', { amount: 5 });
      const error = failureOf(() => when.expect(deposited(6)));
      expect(error.message).to.contain('account/test: deposit: the events are not those expected');
      expect(error.message).to.contain('[0].data.amount is 5, expected 6');
      expect(error.message).to.match(/expected\n.*amount: 6[^]*actual\n.*amount: 5/);
      expect([error.actual, error.expected]).to.deep.equal([[deposited(5)], [deposited(6)]]);
    });

    it('fails when there are more events than expected, fewer, or others', () => {
      const when = given(account, opened).when('deposit', { amount: 5 });
      expect(failureOf(() => when.expect()).message).to.contain('[0] is');
      expect(failureOf(() => when.expect(deposited(5), deposited(5))).message).to.contain('[1] is not there');
      expect(failureOf(() => when.expect(opened)).message).to.contain("[0].type is 'account.deposited'");
    });

    it('fails when a command was rejected, and tells the reason', () => {
      const when = given(account).when('deposit', { amount: 5 });
      for (const check of [() => when.expect(deposited(5)), () => when.expectReply(5), () => when.expect()]) {
        expect(failureOf(check).message).to.contain("rejected 'not-open'").and.contain('account test is not open');
      }
      expect(failureOf(() => when.expectRejected('other')).message)
        .to.contain("is 'not-open'")
        .and.contain("'other'");
      expect(failureOf(() => when.expectFailed('TROUPE_ACTOR_FAILED')).message).to.contain("rejected 'not-open'");
    });

    it('fails when a command was accepted that should not have been', () => {
      const when = given(account, opened).when('deposit', { amount: 5 });
      expect(failureOf(() => when.expectRejected('not-open')).message)
        .to.contain('accepted')
        .and.contain('amount: 5');
      expect(failureOf(() => when.expectFailed('TROUPE_ACTOR_FAILED')).message).to.contain('accepted');
      expect(failureOf(() => when.expectReply(6)).message).to.contain('it is 5, expected 6');
    });

    it('fails with error and cause when the command failed', () => {
      const when = given(account, opened).when('deposit', { amount: -5 });
      for (const check of [
        () => when.expect(deposited(-5)),
        () => when.expectReply(0),
        () => when.expectRejected('x'),
      ]) {
        expect(failureOf(check).message).to.contain('TROUPE_INVALID_EVENT').and.contain('amount');
      }
      expect(failureOf(() => when.expectFailed('TROUPE_ACTOR_FAILED')).message).to.contain('TROUPE_INVALID_EVENT');
    });

    it('fails a chain with an asynchronous handler when it is awaited, whichever link it is', async () => {
      const when = () => given(account, opened).when('depositLater', { amount: 5 });
      expect((await laterFailureOf(when().expect(deposited(6)).expectReply(5))).message).to.contain('expected 6');
      expect((await laterFailureOf(when().expect(deposited(5)).expectReply(6))).message).to.contain('expected 6');
      expect((await laterFailureOf(when().expectRejected('not-open'))).message).to.contain('accepted');
    });

    it('leaves an unhandled rejection where an asynchronous chain that fails is not awaited', async () => {
      const unhandled: unknown[] = [];
      const others = process.listeners('unhandledRejection');
      process.removeAllListeners('unhandledRejection');
      process.on('unhandledRejection', (error) => unhandled.push(error));
      given(account, opened).when('depositLater', { amount: 5 }).expect(deposited(6)).expectReply(5);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      process.removeAllListeners('unhandledRejection');
      for (const listener of others) process.on('unhandledRejection', listener);
      expect(unhandled).to.have.length(1);
      expect(String(unhandled[0])).to.contain('the events are not those expected');
    });
  });

  describe('is stricter than the runtime', () => {
    it('fails a handler that changes the state', () => {
      given(account, opened).when('spoil').expectFailed('TROUPE_ACTOR_FAILED');
      expect(failureOf(() => given(account).when('spoil').expect()).message).to.contain('read only');
    });

    it('fails an apply that gives another state in recovery', () => {
      let count = 0;
      const odd = aggregate({
        name: 'odd',
        initialState: () => ({ count: 0 }),
        events: { made: { apply: () => ({ count: (count += 1) }) } },
        commands: { make: { handle: (_state, _input: unknown, ctx) => ctx.emit('made', {}) } },
      });
      const error = failureOf(() => given(odd).when('make', null).expect({ type: 'made', data: {} }));
      expect(error.message).to.contain('count is 2, expected 1').and.contain('a function of state and event alone');
    });

    it('fails an initial state that all instances share and that apply changes', () => {
      const shared = { count: 0 };
      const odd = aggregate({
        name: 'odd',
        initialState: () => shared,
        events: { made: { apply: (state) => ((state.count += 1), state) } },
        commands: { make: { handle: (_state, _input: unknown, ctx) => ctx.emit('made', {}) } },
      });
      expect(failureOf(() => given(odd).when('make', null).expect({ type: 'made', data: {} })).message).to.contain(
        'a new object each time',
      );
    });

    it('takes an apply that changes its own state in place', () => {
      const fine = aggregate({
        name: 'fine',
        initialState: () => ({ list: [] as number[] }),
        events: { made: { apply: (state, data: number) => (state.list.push(data), state) } },
        commands: { make: { handle: (_state, n: number, ctx) => ctx.emit('made', n) } },
      });
      given(fine, { type: 'made', data: 1 }).when('make', 2).expect({ type: 'made', data: 2 });
    });
  });

  it('checks events and reply of a synchronous handler at once', () => {
    given(account, opened, deposited(2)).when('deposit', { amount: 5 }).expect(deposited(5)).expectReply(7);
    given(account).when('deposit', { amount: 5 }).expectRejected('not-open');
    given(account).when('nothing').expect().expectReply(undefined);
  });

  it('may be awaited with either kind of handler, and resolves with the outcome', async () => {
    await given(account).when('depositLater', { amount: 5 }).expectRejected('not-open');
    const later = await given(account, opened).when('depositLater', { amount: 5 }).expect(deposited(5)).expectReply(5);
    const now = await given(account, opened).when('deposit', { amount: 5 }).expect(deposited(5));
    for (const outcome of [later, now]) {
      expect(outcome).to.deep.equal({
        events: [deposited(5)],
        reply: 5,
        state: { owner: 'Ada (GBP)', balance: 5 },
        rejection: undefined,
        failure: undefined,
      });
    }
  });

  it('upcasts events of older schema versions, and validates them as recovery does', () => {
    const first = { type: 'account.opened', data: { name: 'Ada' }, schemaVersion: 1 } as const;
    const second = { type: 'account.opened', data: { owner: 'Bob' }, schemaVersion: 2 } as const;
    given(account, first).when('owner').expectReply('Ada (EUR)');
    given(account, second).when('owner').expectReply('Bob (EUR)');
    given(account, { ...second, data: {} })
      .when('owner')
      .expectFailed('TROUPE_INVALID_EVENT');
    given(account, { ...second, schemaVersion: 9 })
      .when('owner')
      .expectFailed('TROUPE_INVALID_EVENT');
  });

  it('refuses what the schema of the command refuses, and given events that could not have been written', () => {
    given(account, opened).when('deposit', { amount: 1_001 }).expectFailed('TROUPE_INVALID_MESSAGE');
    given(account, opened)
      .when('deposit', {} as { amount: number })
      .expectFailed('TROUPE_INVALID_MESSAGE');
    given(account, deposited(-1)).when('deposit', { amount: 1 }).expectFailed('TROUPE_INVALID_EVENT');
    given(account, { type: 'no.such' } as never)
      .when('nothing')
      .expectFailed('TROUPE_INVALID_EVENT');
    given(account)
      .when('no-such' as 'nothing')
      .expectFailed('TROUPE_UNKNOWN_MESSAGE');
  });

  it('asks queries', () => {
    given(account, opened).when('owner').expectReply('Ada (GBP)').expect();
    given(account).when('owner').expectReply(null);
  });

  it('gives the handler the facts that the test sets, and plain ones else', () => {
    const plain = { id: 'command', correlationId: 'command', causationId: null, metadata: {}, aggregate: 'test' };
    given(account)
      .when('tell', null)
      .expectReply({ ...plain, now: Date.UTC(2020, 0, 1), version: 0 });
    given(account, opened)
      .when('tell', null, {
        id: 'a',
        commandId: 'c',
        correlationId: 'r',
        causationId: 'e',
        metadata: { by: 'me' },
        now: 7,
      })
      .expectReply({
        id: 'c',
        correlationId: 'r',
        causationId: 'e',
        metadata: { by: 'me' },
        aggregate: 'a',
        now: 7,
        version: 1,
      });
  });

  it('knows the types: of given and expected events, of commands, inputs and replies', () => {
    // @ts-expect-error no such event
    given(account, { type: 'account.closed', data: {} });
    // @ts-expect-error the amount is a number
    given(account, { type: 'account.deposited', data: { amount: 'five' } });
    const past = given(account, opened);
    // @ts-expect-error no such command
    past.when('withdraw', { amount: 5 });
    // @ts-expect-error the amount is a number
    past.when('deposit', { amount: 'five' });
    const when = past.when('deposit', { amount: 5 });
    // @ts-expect-error the reply is a number
    failureOf(() => when.expectReply('5'));
    // @ts-expect-error no such event
    failureOf(() => when.expect({ type: 'account.closed', data: {} }));
  });

  it('compares as the journal would keep it: undefined fields make no difference', () => {
    given(account, opened)
      .when('deposit', { amount: 5 })
      .expect({ type: 'account.deposited', data: { amount: 5, note: undefined } as { amount: number } });
  });
});
