import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import type { AttemptContext } from '../../src/reactions/attempt-context.js';
import { type RuntimeReaction, reaction } from '../../src/reactions/reaction-definition.js';
import { turns, until } from '../support/turns.js';
import { Disk, Life, target } from './reaction-world.js';

/** The collector is there without a flag on the command line, for those who ask V8. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

type On = Record<string, (event: RecordedEvent, ctx: AttemptContext) => unknown>;

function react(on: On, options: Record<string, unknown> = {}): RuntimeReaction {
  return reaction({ name: 'r', on, ...options } as unknown as Parameters<typeof reaction>[0]);
}

const made = { type: 'made' };
const parkedId = (position: number): string => `parked>r>${position}`;

/** A reaction that tells one command for each event, unless the event is in `poisoned`. */
function forwarding(poisoned: Set<string>, options: Record<string, unknown> = {}): RuntimeReaction {
  return react(
    {
      made: (event, ctx) => {
        const name = `${event.aggregateId}-${event.version}`;
        if (poisoned.has(name)) throw new Error(`${name} is poisoned`);
        ctx.tell(target, name, 'do');
      },
    },
    options,
  );
}

describe('an event that fails', () => {
  it('is tried 5 times by default, after 100, 200, 400 and 800 ms, and then parked', async () => {
    const disk = new Disk();
    const tries: [attempt: number, atMs: number][] = [];
    const life = await Life.begin(disk, [
      react({
        made: (_event, ctx) => {
          tries.push([ctx.attempt, life.clock.monotonic()]);
          throw new Error('broken');
        },
      }),
    ]);
    await disk.append('order', '1', { ...made, data: { n: 7 } });
    await until(() => tries.length === 1, 'the first attempt');
    expect(life.settled).to.equal(false);
    await life.clock.advance(10_000);
    expect(tries).to.deep.equal([
      [1, 0],
      [2, 100],
      [3, 300],
      [4, 700],
      [5, 1_500],
    ]);
    await life.settle();
    const letters = life.deadLetters.list();
    expect(letters).to.have.length(1);
    expect(letters[0]).to.deep.include({
      id: parkedId(1),
      reason: 'parked',
      target: { name: 'r', id: 'order/1' },
      type: 'made',
      payload: { n: 7 },
      position: 1,
    });
    expect(letters[0]?.error).to.deep.include({ code: 'TROUPE_ACTOR_FAILED', cause: 'Error: broken' });
    expect(letters[0]?.error?.message).to.match(/broken$/);
    expect(life.reactions.problems()).to.have.length(1);
    expect(life.reactions.problems()[0]).to.include({ name: 'r', key: 'order/1', position: 1 });
    expect(life.reactions.metrics()[0]).to.include({ parkedKeys: 1, inFlight: 0, lag: 0 });
    await life.stop();
  });

  it('waits at most backoff.max between attempts', async () => {
    const disk = new Disk();
    const at: number[] = [];
    const life = await Life.begin(disk, [
      react(
        {
          made: () => {
            at.push(life.clock.monotonic());
            throw new Error('broken');
          },
        },
        { retry: { attempts: 4, backoff: { min: 10, max: 15 } } },
      ),
    ]);
    await disk.append('order', '1', made);
    await life.settle();
    expect(at).to.deep.equal([0, 10, 25, 40]);
    await life.stop();
  });

  it('also fails when a told command fails, and begins anew with the same ids', async () => {
    const disk = new Disk();
    let failures = 2;
    disk.world.decide = ({ targetId }) =>
      targetId === 'b' && (failures -= 1) >= 0 ? { failed: 'no' } : { reply: undefined };
    const life = await Life.begin(disk, [
      react({
        made: (_event, ctx) => {
          ctx.tell(target, 'a', 'do');
          ctx.tell(target, 'b', 'do');
        },
      }),
    ]);
    await disk.append('order', '1', made);
    await life.settle();
    expect(life.post.deliveries).to.have.length(6);
    expect(life.effects).to.deep.equal(['do a', 'do b']);
    expect(life.deadLetters.list()).to.deep.equal([]);
    await life.stop();
  });

  it('starts again with the first attempt when the system comes back in the middle of a backoff', async () => {
    const disk = new Disk();
    const attempts: number[] = [];
    const definition = react({
      made: (_event, ctx) => {
        attempts.push(ctx.attempt);
        throw new Error('broken');
      },
    });
    const life = await Life.begin(disk, [definition]);
    await disk.append('order', '1', made);
    await until(() => attempts.length === 1, 'the first attempt');
    await life.clock.advance(150);
    await life.stop();
    expect(life.clock.pending).to.equal(0);
    const next = await Life.begin(disk, [definition]);
    await until(() => attempts.length === 3, 'the next life');
    expect(attempts).to.deep.equal([1, 2, 1]);
    await next.stop();
  });

  it('is never parked because the journal can not be written, and goes on when that is over', async () => {
    let broken = false;
    const disk = new Disk((_commit, moment) => (broken && moment === 'before' ? new Error('disk full') : undefined));
    const poisoned = new Set(['1-1']);
    const life = await Life.begin(disk, [forwarding(poisoned, { retry: { attempts: 2 } })]);
    await disk.append('order', '1', made);
    broken = true;
    await life.clock.advance(30_000);
    expect(life.deadLetters.list()).to.deep.equal([]);
    expect(life.settled).to.equal(false);
    broken = false;
    await life.settle();
    expect(life.deadLetters.list().map(({ id }) => id)).to.deep.equal([parkedId(1)]);
    await life.stop();
  });
});

describe('a command that fails because the journal could not be written', () => {
  it('is told again until the fault is over, and parks nothing', async () => {
    const disk = new Disk();
    let failures = 20;
    disk.world.decide = () =>
      (failures -= 1) >= 0 ? { failed: 'disk full', code: 'TROUPE_JOURNAL_WRITE_FAILED' } : { reply: undefined };
    const life = await Life.begin(disk, [react({ made: (_event, ctx) => ctx.tell(target, 'a', 'do') })]);
    await disk.append('order', '1', made);
    await life.clock.advance(300_000);
    expect(life.effects).to.deep.equal(['do a']);
    expect(life.post.deliveries).to.have.length(21);
    expect(life.deadLetters.list()).to.deep.equal([]);
    await life.stop();
  });
});

describe('a parked event', () => {
  it('holds later events of its key, and no other key', async () => {
    const disk = new Disk();
    const life = await Life.begin(disk, [forwarding(new Set(['1-2']))]);
    await disk.append('order', '1', made, made, made);
    await disk.append('order', '2', made);
    await life.settle();
    await disk.append('order', '1', made);
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-1', 'do 2-1']);
    await life.checkpoint();
    expect(await life.checkpointOf('r')).to.equal(5);
    await life.stop();
  });

  it('lets later events of its key go on with skip', async () => {
    const disk = new Disk();
    const poisoned = new Set(['1-2']);
    const life = await Life.begin(disk, [forwarding(poisoned, { whenParked: 'skip' })]);
    await disk.append('order', '1', made, made, made);
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-1', 'do 1-3']);
    poisoned.clear();
    await life.deadLetters.retry(parkedId(2));
    expect(life.effects).to.deep.equal(['do 1-1', 'do 1-3', 'do 1-2']);
    expect(life.deadLetters.list()).to.deep.equal([]);
    await life.checkpoint();
    expect(await disk.journal.readRecords('reaction-key')).to.deep.equal([]);
    await life.stop();
  });

  it('is durable before the checkpoint passes it', async () => {
    const disk = new Disk();
    const life = await Life.begin(disk, [forwarding(new Set(['1-1']))]);
    await disk.append('order', '1', made);
    await life.settle();
    await life.checkpoint();
    const parking = life.written.findIndex((changes) => changes.some(({ kind }) => kind === 'dead-letter'));
    expect(life.written[parking]?.map(({ kind }) => kind)).to.deep.equal(['dead-letter', 'reaction-key']);
    for (const [i, changes] of life.written.entries()) {
      const checkpoint = changes.find(({ kind }) => kind === 'reaction')?.value as { position: number } | undefined;
      if (checkpoint === undefined || checkpoint.position < 1 || i > parking) continue;
      // While it is tried again, its key has a record of its own, in the same write.
      expect(changes.find(({ kind }) => kind === 'reaction-key')?.value).to.deep.include({ key: 'order/1', after: 0 });
    }
    await life.stop();
  });

  it('is handled again by retry, with attempts from 1, and then what waited, in order', async () => {
    const disk = new Disk();
    const attempts: number[] = [];
    let broken = true;
    const life = await Life.begin(disk, [
      react(
        {
          made: (event, ctx) => {
            if (event.version === 1) attempts.push(ctx.attempt);
            if (event.version === 1 && broken) throw new Error('broken');
            ctx.tell(target, String(event.version), 'do');
          },
        },
        { retry: { attempts: 2 } },
      ),
    ]);
    await disk.append('order', '1', made, made, made);
    await life.settle();
    broken = false;
    await life.deadLetters.retry(parkedId(1));
    expect(life.deadLetters.list()).to.deep.equal([]);
    await life.settle();
    await disk.append('order', '1', made);
    await life.settle();
    expect(attempts).to.deep.equal([1, 2, 1]);
    expect(life.effects).to.deep.equal(['do 1', 'do 2', 'do 3', 'do 4']);
    expect(life.reactions.metrics()[0]).to.include({ parkedKeys: 0, lag: 0 });
    await life.stop();
  });

  it('is parked again when the retry fails, and still holds its key', async () => {
    const disk = new Disk();
    const poisoned = new Set(['1-1']);
    const seen: string[] = [];
    const life = await Life.begin(disk, [forwarding(poisoned, { retry: { attempts: 2 } })]);
    life.deadLetters.subscribe((letter) => seen.push(letter.id));
    await disk.append('order', '1', made, made);
    await life.settle();
    const retry = life.deadLetters.retry(parkedId(1));
    await turns();
    expect(life.settled, 'a retry in backoff counts').to.equal(false);
    await life.settle();
    await retry;
    expect(life.deadLetters.list().map(({ id }) => id)).to.deep.equal([parkedId(1)]);
    expect(seen).to.deep.equal([parkedId(1), parkedId(1)]);
    expect(life.deadLetters.counts()).to.deep.equal({ parked: 1 });
    expect(life.effects).to.deep.equal([]);
    poisoned.clear();
    await life.deadLetters.retry(parkedId(1));
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-1', 'do 1-2']);
    await life.stop();
  });

  it('releases its key when it is discarded, and later events go on in order', async () => {
    const disk = new Disk();
    const life = await Life.begin(disk, [forwarding(new Set(['1-1', '1-3']))]);
    await disk.append('order', '1', made, made, made, made);
    await life.settle();
    await life.deadLetters.discard(parkedId(1));
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-2']);
    expect(life.deadLetters.list().map(({ id }) => id)).to.deep.equal([parkedId(3)]);
    await life.deadLetters.discard(parkedId(3));
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-2', 'do 1-4']);
    await life.stop();
  });

  it('holds its key across restarts, and is released there', async () => {
    const disk = new Disk();
    const poisoned = new Set(['1-2']);
    const definition = forwarding(poisoned);
    let life = await Life.begin(disk, [definition]);
    await disk.append('order', '1', made, made, made);
    await life.settle();
    await life.stop();
    life = await Life.begin(disk, [definition]);
    await disk.append('order', '1', made);
    await disk.append('order', '2', made);
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-1', 'do 2-1']);
    expect(life.reactions.problems()).to.have.length(1);
    expect(life.deadLetters.list().map(({ id, payload }) => [id, payload])).to.deep.equal([[parkedId(2), null]]);
    await life.stop();
    life = await Life.begin(disk, [definition]);
    poisoned.clear();
    await life.deadLetters.retry(parkedId(2));
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-1', 'do 2-1', 'do 1-2', 'do 1-3', 'do 1-4']);
    await life.checkpoint();
    expect(await disk.journal.readRecords('reaction-key')).to.deep.equal([]);
    expect(await disk.journal.readRecords('dead-letter')).to.deep.equal([]);
    await life.stop();
  });

  it('misses and doubles no event when new ones of its key keep coming while it catches up', async () => {
    const disk = new Disk();
    const poisoned = new Set(['1-1']);
    const life = await Life.begin(disk, [forwarding(poisoned)]);
    for (let i = 0; i < 20; i += 1) await disk.append('order', '1', ...Array.from({ length: 50 }, () => made));
    await life.settle();
    poisoned.clear();
    const retry = life.deadLetters.retry(parkedId(1));
    for (let i = 0; i < 40; i += 1) {
      await disk.append('order', '1', made, made, made);
      await disk.append('order', String(i + 2), made);
    }
    await retry;
    await life.settle();
    const ofKey = life.effects.filter((effect) => effect.startsWith('do 1-'));
    expect(ofKey).to.deep.equal(Array.from({ length: 1_120 }, (_, i) => `do 1-${i + 1}`));
    expect(life.post.deliveries).to.have.length(1_160);
    await life.stop();
  });

  it('leaves 100,000 events behind a held key in the journal, not in memory', async function () {
    this.timeout(60_000);
    const disk = new Disk();
    const poisoned = new Set(['1-1']);
    const life = await Life.begin(disk, [forwarding(poisoned)], undefined, { windowEvents: 1_000 });
    await disk.append('order', '1', made);
    await life.settle();
    const page = Array.from({ length: 1_000 }, () => made);
    const references: WeakRef<RecordedEvent>[] = [];
    for (let i = 0; i < 100; i += 1) {
      await disk.append('order', '1', ...page);
      references.push(...lastCommitOf(life));
    }
    await life.settle();
    expect(references).to.have.length(100_000);
    await disk.append('order', '2', ...page);
    await disk.append('order', '2', ...page);
    await life.settle();
    await turns();
    let retained = references.length;
    for (let tries = 0; tries < 5 && retained > 0; tries += 1) {
      collectGarbage();
      await turns();
      retained = references.filter((reference) => reference.deref() !== undefined).length;
    }
    expect(retained).to.equal(0);
    poisoned.clear();
    await life.deadLetters.retry(parkedId(1));
    await life.settle();
    const ofKey = disk.world.effects.filter(({ targetId }) => targetId.startsWith('1-'));
    expect(ofKey).to.have.length(100_001);
    ofKey.forEach(({ targetId }, i) => {
      if (targetId !== `1-${i + 1}`) expect.fail(`${targetId} stands at place ${i + 1}`);
    });
    await life.stop();
  });

  it('gets a fresh id for the command whose rejection parked it, and only for that one', async () => {
    const disk = new Disk();
    let stock = 0;
    disk.world.decide = ({ type }) =>
      type === 'check' && stock === 0 ? { rejected: 'sold-out' } : { reply: undefined };
    const life = await Life.begin(disk, [
      react(
        {
          made: async (_event, ctx) => {
            await ctx.ask(target, 'a', 'do');
            await ctx.ask(target, 'a', 'check');
          },
        },
        { retry: { attempts: 2 } },
      ),
    ]);
    await disk.append('order', '1', made);
    await life.settle();
    expect(life.deadLetters.list()[0]?.error).to.include({ code: 'TROUPE_REJECTED', reason: 'sold-out' });
    const again = life.deadLetters.retry(parkedId(1));
    await life.settle();
    await again;
    stock = 1;
    await life.deadLetters.retry(parkedId(1));
    expect(life.deadLetters.list()).to.deep.equal([]);
    expect(disk.world.effects.map(({ commandId }) => commandId)).to.deep.equal([
      'r>target/a>do#0<order/1@1',
      'r>target/a>check#0<order/1@1~retry2',
    ]);
    await life.stop();
  });

  it('can not be retried when its reaction or handler is gone, but discarded; the key then goes on', async () => {
    const disk = new Disk();
    const poisoned = new Set(['1-1']);
    let life = await Life.begin(disk, [forwarding(poisoned)]);
    await disk.append('order', '1', made, made);
    await life.settle();
    await life.stop();
    life = await Life.begin(disk, [react({ other: () => undefined })]);
    await failsWith(life.deadLetters.retry(parkedId(1)), 'TROUPE_INVALID_OPTIONS');
    await life.stop();
    life = await Life.begin(disk, []);
    await failsWith(life.deadLetters.retry(parkedId(1)), 'TROUPE_INVALID_OPTIONS');
    await life.deadLetters.discard(parkedId(1));
    await life.stop();
    life = await Life.begin(disk, [forwarding(poisoned)]);
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-2']);
    await life.stop();
  });

  it('waits for no stop: a retry under way fails with TROUPE_SYSTEM_STOPPED and the event stays parked', async () => {
    const disk = new Disk();
    const life = await Life.begin(disk, [forwarding(new Set(['1-1']))]);
    await disk.append('order', '1', made);
    await life.settle();
    const retry = failsWith(life.deadLetters.retry(parkedId(1)), 'TROUPE_SYSTEM_STOPPED');
    await turns();
    await life.stop();
    await retry;
    expect((await disk.journal.readRecords('dead-letter')).map(({ key }) => key)).to.deep.equal([parkedId(1)]);
  });
});

describe('a reaction that has changed', () => {
  it('lets a held key go on when it skips now', async () => {
    const disk = new Disk();
    const poisoned = new Set(['1-1']);
    let life = await Life.begin(disk, [forwarding(poisoned)]);
    await disk.append('order', '1', made, made);
    await life.settle();
    await life.stop();
    life = await Life.begin(disk, [forwarding(poisoned, { whenParked: 'skip' })]);
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-2']);
    expect(life.deadLetters.list()).to.have.length(1);
    poisoned.clear();
    await life.deadLetters.retry(parkedId(1));
    expect(life.effects).to.deep.equal(['do 1-2', 'do 1-1']);
    await life.stop();
  });

  it('delivers again from the first event that waits when orderedBy is another one, and misses none', async () => {
    const disk = new Disk();
    const poisoned = new Set(['1-1']);
    let life = await Life.begin(disk, [forwarding(poisoned)]);
    await disk.append('order', '1', made, made);
    await disk.append('order', '2', made);
    await life.settle();
    await life.stop();
    poisoned.clear();
    life = await Life.begin(disk, [forwarding(poisoned, { orderedBy: () => 'one' })]);
    await life.settle();
    expect(life.effects).to.deep.equal(['do 2-1', 'do 1-1', 'do 1-2']);
    expect(life.deadLetters.list()).to.deep.equal([]);
    expect(life.log.join()).to.match(/orderedBy has changed/);
    await life.checkpoint();
    expect(await life.checkpointOf('r')).to.equal(3);
    expect(await disk.journal.readRecords('reaction-key')).to.deep.equal([]);
    await life.stop();
  });
});

describe('orderedBy', () => {
  it('parks an event that it throws for, or gives no key for, and goes on with the others', async () => {
    const disk = new Disk();
    let fixed = false;
    const life = await Life.begin(disk, [
      react(
        { made: (event, ctx) => ctx.tell(target, `${event.aggregateId}-${event.version}`, 'do') },
        {
          orderedBy: (event: RecordedEvent) => {
            if (fixed || event.version !== 2) return event.aggregateId;
            if (event.aggregateId === '1') throw new Error('no key');
            return undefined;
          },
          retry: { attempts: 2 },
        },
      ),
    ]);
    await disk.append('order', '1', made, made, made);
    await disk.append('order', '2', made, made, made);
    await life.settle();
    expect(life.effects).to.deep.equal(['do 1-1', 'do 1-3', 'do 2-1', 'do 2-3']);
    expect(life.reactions.problems().map(({ key, error }) => [key, error.replace(/.*: /, '')])).to.deep.equal([
      ['?order/1', 'no key'],
      ['?order/2', 'orderedBy gave undefined for event made at position 5; return a text'],
    ]);
    fixed = true;
    await life.deadLetters.retry(parkedId(2));
    await life.deadLetters.retry(parkedId(5));
    await life.settle();
    expect(life.effects.slice(4)).to.deep.equal(['do 1-2', 'do 2-2']);
    await life.stop();
  });

  it('finds what waits behind a key of its own making in the journal', async () => {
    const disk = new Disk();
    const poisoned = new Set(['1-1']);
    const life = await Life.begin(disk, [
      forwarding(poisoned, { orderedBy: (event: RecordedEvent) => `?${Number(event.aggregateId) % 2}` }),
    ]);
    for (let version = 1; version <= 3; version += 1) {
      for (let id = 1; id <= 200; id += 1) await disk.append('order', String(id), made);
    }
    await life.settle();
    expect(life.effects).to.have.length(300);
    poisoned.clear();
    await life.deadLetters.retry(parkedId(1));
    await life.settle();
    expect(life.effects).to.have.length(600);
    expect(new Set(life.effects)).to.have.length(600);
    await life.stop();
  });
});

describe('an event that can not be read by the code of today', () => {
  it('is parked like one whose handler fails', async () => {
    const disk = new Disk();
    const present = (event: RecordedEvent): RecordedEvent => {
      if (event.version === 1) throw new Error('no upcaster');
      return { ...event, data: 'present' };
    };
    const seen: unknown[] = [];
    const life = await Life.begin(
      disk,
      [react({ made: (event) => seen.push(event.data) }, { whenParked: 'skip' })],
      undefined,
      { present },
    );
    await disk.append('order', '1', made, made);
    await life.settle();
    expect(seen).to.deep.equal(['present']);
    expect(life.deadLetters.list()[0]?.error?.message).to.match(/no upcaster/);
    await life.stop();
  });
});

/** References that hold nothing; in a function of its own, so that no variable of the test does either. */
function lastCommitOf(life: Life): WeakRef<RecordedEvent>[] {
  const events = life.window.partAfter(life.window.head - 1);
  return typeof events === 'string' ? [] : events.map((event) => new WeakRef(event));
}

async function failsWith(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.include({ code });
}
