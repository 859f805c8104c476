import { expect } from 'chai';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { isTroupeError } from '../../src/core/troupe-error.js';
import { reaction } from '../../src/reactions/reaction-definition.js';
import type { RuntimeReaction } from '../../src/reactions/reaction-definition.js';
import type { AttemptContext } from '../../src/reactions/attempt-context.js';
import { turns, until } from '../support/turns.js';
import { Disk, Life, target } from './reaction-world.js';

type On = Record<string, (event: RecordedEvent, ctx: AttemptContext) => unknown>;

/** A reaction as JavaScript would write it. */
function react(on: On, options: Record<string, unknown> = {}): RuntimeReaction {
  return reaction({ name: 'r', on, ...options } as unknown as Parameters<typeof reaction>[0]);
}

/** The position of the event that an envelope was sent for. */
const idOf = (event: RecordedEvent): string => `${event.aggregateId}-${event.version}`;

describe('a reaction', () => {
  it('sends commands with ids derived from the event, and the facts of its chain', async () => {
    const disk = new Disk();
    const life = await Life.begin(disk, [
      react({
        made: (_event, ctx) => {
          ctx.tell(target, 'a', 'do', { n: 1 });
          ctx.tell(target, 'a', 'do', { n: 2 }, { metadata: { more: true }, id: 'mine', correlationId: 'other' });
          ctx.tell(target, 'a', 'do', { n: 3 });
          ctx.tell(target, 'b', 'do', { n: 4 });
        },
      }),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    const { deliveries } = life.post;
    expect(deliveries.map(({ commandId }) => commandId)).to.deep.equal([
      'r>target/a>do#0<order/1@1',
      'mine',
      'r>target/a>do#2<order/1@1',
      'r>target/b>do#0<order/1@1',
    ]);
    expect(deliveries.map(({ correlationId }) => correlationId)).to.deep.equal([
      'corr-c1',
      'other',
      'corr-c1',
      'corr-c1',
    ]);
    for (const { causationId, waits, metadata } of deliveries) {
      expect(causationId).to.equal('order/1@1');
      expect(waits).to.equal(true);
      expect(metadata).to.include({ by: 'test' });
    }
    expect(deliveries[1]?.metadata).to.deep.equal({ by: 'test', more: true });
    await life.stop();
  });

  it('makes the same new ids in each attempt', async () => {
    const disk = new Disk();
    const made: string[][] = [];
    const life = await Life.begin(disk, [
      react({
        made: (_event, ctx) => {
          made.push([ctx.newId(), ctx.newId()]);
          if (ctx.attempt < 3) throw new Error('not yet');
        },
      }),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    expect(made).to.have.length(3);
    expect(made[1]).to.deep.equal(made[0]);
    expect(made[2]).to.deep.equal(made[0]);
    expect(made[0]?.[0]).to.not.equal(made[0]?.[1]);
    await life.stop();
  });

  it('handles events of one key one at a time and in order, and 256 keys side by side', async () => {
    const disk = new Disk();
    const running = new Map<string, number>();
    const seen = new Map<string, number[]>();
    let most = 0;
    let open: (() => void)[] = [];
    const life = await Life.begin(disk, [
      react({
        made: async (event) => {
          expect(running.get(event.aggregateId) ?? 0).to.equal(0);
          running.set(event.aggregateId, 1);
          most = Math.max(most, [...running.values()].filter((n) => n > 0).length);
          await new Promise<void>((resolve) => open.push(resolve));
          running.set(event.aggregateId, 0);
          seen.set(event.aggregateId, [...(seen.get(event.aggregateId) ?? []), event.version]);
        },
      }),
    ]);
    for (let i = 0; i < 300; i += 1) await disk.append('order', String(i), { type: 'made' }, { type: 'made' });
    await until(() => open.length === 256, '256 handlers');
    await turns(10);
    expect(open.length).to.equal(256);
    expect(life.reactions.metrics()[0]).to.include({ inFlight: 256 });
    while (!life.settled) {
      const now = open;
      open = [];
      for (const go of now) go();
      await turns(2);
    }
    expect(most).to.equal(256);
    expect(seen.size).to.equal(300);
    for (const versions of seen.values()) expect(versions).to.deep.equal([1, 2]);
    await life.stop();
  });

  it('lets a slow key with 1,000 events hold up no other key', async () => {
    const disk = new Disk();
    const seen: string[] = [];
    let go: (() => void) | undefined;
    const life = await Life.begin(disk, [
      react({
        made: (event) => {
          seen.push(idOf(event));
          if (event.aggregateId === 'slow' && event.version === 1)
            return new Promise<void>((resolve) => (go = resolve));
          return undefined;
        },
      }),
    ]);
    for (let i = 0; i < 10; i += 1) {
      await disk.append('order', 'slow', ...Array.from({ length: 100 }, () => ({ type: 'made' })));
    }
    await disk.append('order', 'quick', { type: 'made' });
    await until(() => seen.includes('quick-1'), 'the other key');
    expect(seen).to.deep.equal(['slow-1', 'quick-1']);
    go?.();
    await life.settle();
    expect(seen.filter((id) => id.startsWith('slow'))).to.deep.equal(
      Array.from({ length: 1_000 }, (_, i) => `slow-${i + 1}`),
    );
    await life.stop();
  });

  it('orders by what orderedBy gives', async () => {
    const disk = new Disk();
    const seen: string[] = [];
    const life = await Life.begin(disk, [
      react(
        {
          made: async (event, ctx) => {
            seen.push(`+${idOf(event)}`);
            await ctx.ask(target, 'a', 'do');
            seen.push(`-${idOf(event)}`);
          },
        },
        { orderedBy: () => 'all' },
      ),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await disk.append('order', '2', { type: 'made' });
    await life.settle();
    expect(seen).to.deep.equal(['+1-1', '-1-1', '+2-1', '-2-1']);
    await life.stop();
  });

  it('finishes an event only when every command told has an outcome', async () => {
    const disk = new Disk();
    disk.world.decide = () => 'hang';
    const life = await Life.begin(disk, [react({ made: (event, ctx) => ctx.tell(target, event.aggregateId, 'do') })]);
    await disk.append('order', '1', { type: 'made' });
    await until(() => life.post.hanging.length === 1, 'the command');
    await life.clock.advance(60_000);
    expect(life.settled).to.equal(false);
    expect(await life.checkpointOf('r')).to.equal(0);
    life.post.release();
    await life.settle();
    await life.checkpoint();
    expect(await life.checkpointOf('r')).to.equal(1);
    await life.stop();
  });

  it('never writes a checkpoint beyond an unfinished event of a key that keeps up', async () => {
    const disk = new Disk();
    disk.world.decide = ({ targetId }) => (targetId === '3' ? 'hang' : { reply: undefined });
    const life = await Life.begin(disk, [react({ made: (event, ctx) => ctx.tell(target, event.aggregateId, 'do') })]);
    for (let i = 1; i <= 6; i += 1) await disk.append('order', String(i), { type: 'made' });
    await until(() => disk.world.effects.length === 5, 'the others');
    await life.checkpoint();
    expect(await life.checkpointOf('r')).to.equal(2);
    life.post.release();
    await life.settle();
    await life.checkpoint();
    expect(await life.checkpointOf('r')).to.equal(6);
    await life.stop();
  });

  it('gives a slow key a record of its own, so that the checkpoint goes on; a crash repeats the slow event', async () => {
    const disk = new Disk();
    let hangs = true;
    disk.world.decide = ({ targetId }) => (targetId === '1' && hangs ? 'hang' : { reply: undefined });
    const definition = react({ made: (event, ctx) => ctx.tell(target, event.aggregateId, 'do', event.version) });
    const life = await Life.begin(disk, [definition]);
    await disk.append('order', '1', { type: 'made' }, { type: 'made' });
    for (let i = 2; i <= 12; i += 1) {
      await disk.append('order', String(i), { type: 'made' });
      await life.checkpoint();
    }
    expect(await life.checkpointOf('r')).to.equal(13);
    life.kill();
    hangs = false;
    const next = await Life.begin(disk, [definition]);
    await next.settle();
    expect(next.post.deliveries.map(({ targetId, payload }) => [targetId, payload])).to.deep.equal([
      ['1', 1],
      ['1', 2],
    ]);
    await next.checkpoint();
    await disk.append('order', '99', { type: 'made' });
    await next.settle();
    await next.checkpoint();
    expect(await disk.journal.readRecords('reaction-key')).to.deep.equal([]);
    await next.stop();
  });

  it('counts a rejected told command as finished and makes it one dead letter, also when it is delivered again', async () => {
    const disk = new Disk();
    disk.world.decide = () => ({ rejected: 'sold-out' });
    const definition = react({ made: (_event, ctx) => ctx.tell(target, 'a', 'do', { n: 1 }) });
    const life = await Life.begin(disk, [definition]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    const letters = life.deadLetters.list();
    expect(letters).to.have.length(1);
    expect(letters[0]).to.deep.include({ reason: 'rejected', target: { name: 'target', id: 'a' }, type: 'do' });
    expect(letters[0]?.payload).to.deep.equal({ n: 1 });
    expect(letters[0]?.error).to.include({ code: 'TROUPE_REJECTED', reason: 'sold-out' });
    await turns(8);
    life.kill();
    const next = await Life.begin(disk, [definition]);
    await next.settle();
    expect(next.post.deliveries).to.have.length(1);
    expect(next.deadLetters.list().map(({ id }) => id)).to.deep.equal(letters.map(({ id }) => id));
    expect(next.deadLetters.counts()).to.deep.equal({});
    await next.stop();
  });

  it('writes the letter of a rejection before the checkpoint that passes its event', async () => {
    const disk = new Disk();
    disk.world.decide = () => ({ rejected: 'no' });
    const life = await Life.begin(disk, [react({ made: (_event, ctx) => ctx.tell(target, 'a', 'do') })]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    await life.checkpoint();
    const kinds = life.written.map((changes) => changes.map(({ kind }) => kind).join());
    expect(kinds.indexOf('dead-letter')).to.be.greaterThan(-1);
    expect(kinds.lastIndexOf('reaction')).to.be.greaterThan(kinds.indexOf('dead-letter'));
    await life.stop();
  });

  it('leaves the rejection of an ask to the handler', async () => {
    const disk = new Disk();
    disk.world.decide = ({ type }) => (type === 'check' ? { rejected: 'no' } : { reply: 'yes' });
    const life = await Life.begin(disk, [
      react({
        made: async (_event, ctx) => {
          try {
            await ctx.ask(target, 'a', 'check');
          } catch (error) {
            if (!isTroupeError(error, 'TROUPE_REJECTED')) throw error;
            ctx.tell(target, 'b', 'do', await ctx.ask(target, 'a', 'do', {}, { receipt: true }));
          }
        },
      }),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    expect(life.effects).to.deep.equal(['do a', 'do b']);
    expect(disk.world.effects[1]?.payload).to.deep.equal({ reply: 'yes', position: 0, version: 0 });
    expect(life.deadLetters.list()).to.deep.equal([]);
    await life.stop();
  });

  it('makes the attempt fail when nobody has looked at an ask that failed', async () => {
    const disk = new Disk();
    let failures = 2;
    disk.world.decide = ({ targetId }) =>
      targetId === 'a' && (failures -= 1) >= 0 ? { failed: 'broken' } : { reply: undefined };
    const attempts: number[] = [];
    const life = await Life.begin(disk, [
      react({
        made: async (_event, ctx) => {
          attempts.push(ctx.attempt);
          void ctx.ask(target, 'a', 'do');
          await ctx.ask(target, 'b', 'do');
        },
      }),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    expect(attempts).to.deep.equal([1, 2, 3]);
    expect(life.effects.sort()).to.deep.equal(['do a', 'do b']);
    await life.stop();
  });

  it('makes a dead letter of a rejected ask that nobody has looked at', async () => {
    const disk = new Disk();
    disk.world.decide = () => ({ rejected: 'no' });
    const life = await Life.begin(disk, [react({ made: (_event, ctx) => void ctx.ask(target, 'a', 'do') })]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    expect(life.deadLetters.list().map(({ reason }) => reason)).to.deep.equal(['rejected']);
    await life.stop();
  });

  it('asks again with the same id after a timeout', async () => {
    const disk = new Disk();
    disk.world.decide = () => 'hang';
    const errors: unknown[] = [];
    const life = await Life.begin(disk, [
      react({
        made: (_event, ctx) =>
          ctx.ask(target, 'a', 'do', {}, { timeout: '2s' }).catch((error: unknown) => {
            errors.push(error);
            throw error;
          }),
      }),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await until(() => life.post.hanging.length === 1, 'the ask');
    await life.clock.advance(1_999);
    expect(errors).to.have.length(0);
    await life.clock.advance(1);
    expect(errors).to.have.length(1);
    expect(errors[0]).to.include({ code: 'TROUPE_ASK_TIMEOUT' });
    await life.clock.advance(100);
    expect(life.post.hanging.map(({ commandId }) => commandId)).to.deep.equal([
      'r>target/a>do#0<order/1@1',
      'r>target/a>do#0<order/1@1',
    ]);
    disk.world.decide = () => ({ reply: undefined });
    life.post.release();
    await life.settle();
    expect(life.effects).to.deep.equal(['do a']);
    await life.stop();
  });

  it('resolves send when the mailbox has taken the command, and waits for its outcome', async () => {
    const disk = new Disk();
    disk.world.decide = () => 'hang';
    const sent: string[] = [];
    const life = await Life.begin(disk, [
      react({
        made: async (_event, ctx) => {
          await ctx.send(target, 'a', 'do');
          sent.push('taken');
        },
      }),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await until(() => life.post.hanging.length === 1, 'the command');
    await turns();
    expect(sent).to.deep.equal([]);
    life.post.hanging[0]?.sink?.taken?.();
    await turns();
    expect(sent).to.deep.equal(['taken']);
    expect(life.settled).to.equal(false);
    life.post.release();
    await life.settle();
    await life.stop();
  });

  it('throws mistakes that the sender can see', async () => {
    const disk = new Disk();
    const errors: unknown[] = [];
    const life = await Life.begin(disk, [
      react(
        {
          made: async (_event, ctx) => {
            try {
              ctx.tell(target, 'a', 'unknown');
            } catch (error) {
              errors.push(error);
            }
            try {
              // @ts-expect-error there is no such definition
              ctx.tell(undefined, 'a', 'do');
            } catch (error) {
              errors.push(error);
            }
            await ctx.ask(target, 'a', 'unknown');
          },
        },
        { retry: { attempts: 1 } },
      ),
    ]);
    life.post.known = (_target, type) => type !== 'unknown';
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    expect(errors.map((error) => (error as { code: string }).code)).to.deep.equal([
      'TROUPE_UNKNOWN_MESSAGE',
      'TROUPE_INVALID_OPTIONS',
    ]);
    expect(life.deadLetters.list()[0]?.error?.code).to.equal('TROUPE_UNKNOWN_MESSAGE');
    await life.stop();
  });

  it('refuses options that nobody knows or that can not be used, by name, on every way of sending', async () => {
    const disk = new Disk();
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ correlationID: 'c' }, /unknown option "correlationID"; did you mean 'correlationId'/],
      [{ id: '' }, /option "id" is ''/],
      [{ correlationId: 5 }, /option "correlationId" is 5/],
      [{ metadata: 'by me' }, /options.metadata is 'by me'/],
      [{ priority: 'high' }, /option "priority" is 'high'/],
      [{ timeout: -1 }, /option "timeout" is -1/],
    ];
    const told: string[] = [];
    const life = await Life.begin(disk, [
      react({
        made: async (_event, ctx) => {
          for (const how of ['tell', 'send', 'ask'] as const) {
            for (const [options] of wrong) {
              try {
                await ctx[how](target, 'a', 'do', undefined, options);
                told.push('no error');
              } catch (error) {
                told.push(isTroupeError(error) ? `${error.code} ${error.message}` : String(error));
              }
            }
          }
        },
      }),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    expect(told).to.have.length(3 * wrong.length);
    for (const [i, text] of told.entries()) {
      expect(text)
        .to.match(/^TROUPE_INVALID_OPTIONS reaction /)
        .and.match(wrong[i % wrong.length]?.[1] ?? /^$/);
    }
    await life.stop();
  });

  it('parks an event whatever its handler throws, and goes on with the others', async () => {
    const disk = new Disk();
    const trap = (): never => {
      throw new Error('trap');
    };
    const thrown: readonly unknown[] = [
      undefined,
      Symbol('s'),
      Object.create(null),
      Object.defineProperty(new Error('x'), 'message', { get: trap }),
      new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap }),
    ];
    let handled = 0;
    const life = await Life.begin(disk, [
      react(
        {
          made: (event) => {
            handled += 1;
            const { nth } = event.data as { nth: number };
            if (nth < thrown.length) throw thrown[nth];
          },
        },
        { retry: { attempts: 1 } },
      ),
    ]);
    for (let nth = 0; nth <= thrown.length; nth += 1)
      await disk.append('order', `${nth}`, { type: 'made', data: { nth } });
    await life.settle();
    expect(handled).to.equal(thrown.length + 1);
    expect(life.deadLetters.list().map(({ reason, error }) => [reason, error?.code])).to.deep.equal(
      thrown.map(() => ['parked', 'TROUPE_ACTOR_FAILED']),
    );
    await life.stop();
  });

  it('refuses commands that come after the handler has resolved, as dead letters that can be retried', async () => {
    const disk = new Disk();
    let late: (() => Promise<unknown>) | undefined;
    const life = await Life.begin(disk, [
      react({
        made: (_event, ctx) => {
          late = async () => {
            ctx.tell(target, 'a', 'do', { n: 1 });
            return ctx.ask(target, 'b', 'do').catch((error: unknown) => error);
          };
        },
      }),
    ]);
    await disk.append('order', '1', { type: 'made' });
    await life.settle();
    expect(await late?.()).to.include({ code: 'TROUPE_INVALID_MESSAGE' });
    expect(life.post.deliveries).to.have.length(0);
    const letters = life.deadLetters.list();
    expect(letters.map(({ reason, target: to }) => [reason, to.id])).to.deep.equal([
      ['invalid-message', 'a'],
      ['invalid-message', 'b'],
    ]);
    expect(letters[0]?.error?.message).to.match(/await what the handler starts/);
    await life.deadLetters.retry(letters[0]?.id ?? '');
    expect(life.effects).to.deep.equal(['do a']);
    expect(disk.world.effects[0]?.commandId).to.equal('r>target/a>do#0<order/1@1');
    await life.stop();
  });

  it('starts at the head when it is new and from is now, and remembers that at once', async () => {
    const disk = new Disk();
    await disk.append('order', '1', { type: 'made' }, { type: 'made' });
    const seen: number[] = [];
    const definition = react({ made: (event) => seen.push(event.position) }, { from: 'now' });
    const life = await Life.begin(disk, [definition]);
    expect(await life.checkpointOf('r')).to.equal(2);
    life.kill();
    await disk.append('order', '2', { type: 'made' });
    const next = await Life.begin(disk, [definition]);
    await next.settle();
    expect(seen).to.deep.equal([3]);
    await next.stop();
  });

  it('starts at the beginning by default, reads what the window has lost, and takes a new name for a new reaction', async () => {
    const disk = new Disk();
    for (let i = 0; i < 40; i += 1) await disk.append('order', String(i % 7), { type: i % 2 === 0 ? 'made' : 'other' });
    const seen: number[] = [];
    const on: On = { made: (event) => seen.push(event.position) };
    const life = await Life.begin(disk, [react(on)], undefined, { windowEvents: 4 });
    await life.settle();
    expect(seen).to.have.length(20);
    await life.stop();
    const again = await Life.begin(disk, [react(on), react(on, { name: 'renamed' })]);
    await again.settle();
    expect(seen).to.have.length(40);
    expect(again.reactions.metrics()).to.deep.equal([
      { name: 'r', position: 40, lag: 0, inFlight: 0, parkedKeys: 0 },
      { name: 'renamed', position: 40, lag: 0, inFlight: 0, parkedKeys: 0 },
    ]);
    await again.stop();
  });

  it('moves its checkpoint past events of other types', async () => {
    const disk = new Disk();
    const life = await Life.begin(disk, [react({ made: () => undefined })]);
    await disk.append('order', '1', { type: 'other' }, { type: 'other' });
    await life.settle();
    await life.checkpoint();
    expect(await life.checkpointOf('r')).to.equal(2);
    await life.stop();
  });

  it('gives handlers until the deadline when it stops, aborts their signal, and leaves the rest unfinished', async () => {
    const disk = new Disk();
    let go: (() => void) | undefined;
    let aborted = 0;
    const seen: string[] = [];
    const definition = react({
      made: (event, ctx) => {
        seen.push(event.aggregateId);
        ctx.signal.addEventListener('abort', () => (aborted += 1));
        if (event.aggregateId === 'ends') return new Promise<void>((resolve) => (go = resolve));
        if (event.aggregateId === 'hangs') return new Promise<void>(() => undefined);
        return undefined;
      },
    });
    const life = await Life.begin(disk, [definition]);
    await disk.append('order', 'ends', { type: 'made' });
    await disk.append('order', 'hangs', { type: 'made' });
    await until(() => seen.length === 2, 'both');
    const stopping = life.stop(500);
    await turns();
    expect(aborted).to.equal(2);
    await disk.append('order', 'later', { type: 'made' });
    go?.();
    await life.clock.advance(500);
    await stopping;
    expect(life.clock.pending).to.equal(0);
    expect(seen).to.deep.equal(['ends', 'hangs']);
    const next = await Life.begin(disk, [definition]);
    await until(() => seen.length === 4, 'the rest');
    expect(seen).to.deep.equal(['ends', 'hangs', 'hangs', 'later']);
    next.kill();
  });

  it('handles events of the aggregates in `of` only', async () => {
    const disk = new Disk();
    const seen: string[] = [];
    const { name } = target;
    const source = { ...target, options: { ...target.options, events: new Map([['made', {}]]) } };
    const life = await Life.begin(disk, [react({ made: (event) => seen.push(event.aggregate) }, { of: [source] })]);
    await disk.append('order', '1', { type: 'made' });
    await disk.append(name, '1', { type: 'made' });
    await life.settle();
    expect(seen).to.deep.equal([name]);
    await life.stop();
  });
});
