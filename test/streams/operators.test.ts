/**
 * The operators of `troupe/operators`, by marble diagrams: one character is a millisecond of virtual time.
 */
import { expect } from 'chai';
import { concat, config, EMPTY, map, NEVER, type Observable, of, range, Subject, take, throwError, timer } from 'rxjs';
import { array, assert, constantFrom, double, nat, property, record } from 'fast-check';
import { TestScheduler } from 'rxjs/testing';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { isTroupeError } from '../../src/core/troupe-error.js';
import {
  deduplicate,
  type DeduplicateOptions,
  ofType,
  perAggregate,
  resequence,
  type ResequenceOptions,
  summarize,
} from '../../src/streams/operators.js';

type Marbles = Parameters<Parameters<TestScheduler['run']>[0]>[0];

/** A selector that fails. */
function boom(what: string): () => never {
  return () => {
    throw new Error(what);
  };
}

/** Plays a diagram in virtual time. */
function play(test: (marbles: Marbles) => void): void {
  new TestScheduler((actual, expected) => {
    expect(actual).to.deep.equal(expected);
  }).run(test);
}

/** Fails when `subscribe` does not end the stream with an error of this code. */
function errorOf(stream: Observable<unknown>): unknown {
  let found: unknown;
  stream.subscribe({ error: (error: unknown) => (found = error) });
  return found;
}

describe('ofType', () => {
  type Placed = RecordedEvent<'order.placed', { total: number }>;
  type Shipped = RecordedEvent<'order.shipped', { parcel: string }>;
  type Paid = RecordedEvent<'order.paid', null>;
  const event = <Event extends RecordedEvent>(type: Event['type'], data: Event['data']) => ({ type, data }) as Event;
  const placed = event<Placed>('order.placed', { total: 5 });
  const shipped = event<Shipped>('order.shipped', { parcel: 'p' });
  const paid = event<Paid>('order.paid', null);

  it('lets only the named types through', () => {
    play(({ cold, expectObservable }) => {
      const source = cold<Placed | Shipped | Paid>('a-b-c-a|', { a: placed, b: shipped, c: paid });
      expectObservable(source.pipe(ofType('order.placed', 'order.paid'))).toBe('a---c-a|', { a: placed, c: paid });
    });
  });

  it('lets nothing through without a type', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('a-b|', { a: placed, b: paid }).pipe(ofType())).toBe('---|');
    });
  });

  it('narrows a union to the named members, and an event of any type to the named type', () => {
    const union: Observable<Placed | Shipped | Paid> = of(placed, paid);
    const totals: Observable<number> = union.pipe(
      ofType('order.placed'),
      map((one) => one.data.total),
    );
    totals.subscribe((total) => expect(total).to.equal(5));
    const any: Observable<RecordedEvent> = union;
    const narrowed: Observable<'order.paid'> = any.pipe(
      ofType('order.paid'),
      map((one) => one.type),
    );
    narrowed.subscribe((type) => expect(type).to.equal('order.paid'));
    // @ts-expect-error -- no event of the union has this type
    union.pipe(ofType('order.plcaed'));
  });
});

describe('perAggregate', () => {
  const at = (aggregateId: string, text: string) => ({ aggregate: 'order', aggregateId, text });
  const values = { a: at('1', 'a'), b: at('2', 'b'), c: at('1', 'c'), d: at('2', 'd') };

  it('works on one event of an aggregate at a time, and on aggregates side by side', () => {
    play(({ cold, expectObservable }) => {
      const source = cold('   abcd|', values);
      //                      a: ---x|, then c: ---x|; b and d alike, one millisecond later
      const worked = source.pipe(perAggregate((event) => cold('---x|', { x: event.text })));
      expectObservable(worked).toBe('---ab--cd|', { a: 'a', b: 'b', c: 'c', d: 'd' });
    });
  });

  it('keeps aggregates of two definitions with one id apart', () => {
    play(({ cold, expectObservable }) => {
      const both = { a: { aggregate: 'order', aggregateId: '1' }, b: { aggregate: 'payment', aggregateId: '1' } };
      const worked = cold('ab|', both).pipe(perAggregate((event) => cold('--x|', { x: event.aggregate })));
      expectObservable(worked).toBe('--ab|', { a: 'order', b: 'payment' });
    });
  });

  it('goes on with the next event, and with the others, when project fails, and reports the failure', () => {
    const reported: unknown[] = [];
    play(({ cold, expectObservable }) => {
      const project = (event: (typeof values)['a']) =>
        event.text === 'a' ? cold('-#') : cold('---x|', { x: event.text });
      const onError = (error: unknown, event: (typeof values)['a']) => reported.push([error, event.text]);
      const worked = cold('abcd|', values).pipe(perAggregate(project, { onError }));
      expectObservable(worked).toBe('----bc--d|', { b: 'b', c: 'c', d: 'd' });
    });
    expect(reported).to.deep.equal([['error', 'a']]);
  });

  it('treats a throw in project like a stream that fails', () => {
    const reported: unknown[] = [];
    const worked = of(values.a, values.b, values.c).pipe(
      perAggregate(
        (event) => {
          if (event === values.a) throw new Error('no');
          return of(event.text);
        },
        { onError: (error) => reported.push(error) },
      ),
    );
    const seen: string[] = [];
    worked.subscribe((text) => seen.push(text));
    expect(seen).to.deep.equal(['b', 'c']);
    expect(reported).to.have.length(1);
  });

  it('hands a failure that nobody wants to RxJS, where it is not lost', async () => {
    const failure = new Error('nobody wants me');
    const before = config.onUnhandledError;
    const unhandled = new Promise((resolve) => {
      config.onUnhandledError = resolve;
    });
    try {
      of(values.a)
        .pipe(perAggregate(() => throwError(() => failure)))
        .subscribe({ error: () => expect.fail('the stream must not fail') });
      expect(await unhandled).to.equal(failure);
    } finally {
      config.onUnhandledError = before;
    }
  });

  it('fails the stream when onError throws', () => {
    const worked = of(values.a, values.b).pipe(
      perAggregate(() => throwError(() => new Error('first')), {
        onError: () => {
          throw new Error('second');
        },
      }),
    );
    expect(errorOf(worked)).to.have.property('message', 'second');
  });

  it('works on at most `concurrency` aggregates at the same time', () => {
    play(({ cold, expectObservable }) => {
      const three = { a: at('1', 'a'), b: at('2', 'b'), c: at('3', 'c') };
      const worked = cold('abc|', three).pipe(
        perAggregate((event) => cold('--x|', { x: event.text }), { concurrency: 2 }),
      );
      expectObservable(worked).toBe('--ab-c|', { a: 'a', b: 'b', c: 'c' });
    });
  });

  it('fails with TROUPE_MAILBOX_FULL when the 3rd event would wait and buffer is 2', () => {
    const stuck = of(values.a, values.a, values.a, values.a).pipe(perAggregate(() => NEVER, { buffer: 2 }));
    expect(isTroupeError(errorOf(stuck), 'TROUPE_MAILBOX_FULL')).to.equal(true);
  });

  it('works through 100,000 events that are done at once, without deep recursion', () => {
    let count = 0;
    range(0, 100_000)
      .pipe(
        map((i) => at(String(i % 3), '')),
        perAggregate(() => of(1)),
      )
      .subscribe(() => (count += 1));
    expect(count).to.equal(100_000);
  });

  it('takes promises, and ends after the last result', async () => {
    const seen: string[] = [];
    await new Promise<void>((resolve, reject) => {
      of(values.a, values.b, values.c)
        .pipe(perAggregate(async (event) => event.text))
        .subscribe({ next: (text) => seen.push(text), error: reject, complete: resolve });
    });
    expect(seen).to.deep.equal(['a', 'b', 'c']);
  });

  it('leaves source and projections when nobody listens any more', () => {
    play(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a----', values);
      const inner = cold(' x-x-x');
      expectObservable(source.pipe(perAggregate(() => inner)), '^--!').toBe('x-x-');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      expectSubscriptions(inner.subscriptions).toBe('^--!');
    });
  });

  it('passes an error of the source on at once', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('a-#', values).pipe(perAggregate(() => NEVER))).toBe('--#');
    });
  });
});

describe('deduplicate', () => {
  const by = (item: string) => item;

  it('drops repeats within the last 2 keys, and lets the 3rd to last through again', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('aab-a-c-a-c|').pipe(deduplicate({ by, window: 2 }))).toBe('a-b---c-a--|');
    });
  });

  it('lets an item through again when the time has passed since it was let through, repeats or not', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('a-a-aa---a|').pipe(deduplicate({ by, window: '5ms' }))).toBe('a----a----|');
    });
  });

  it('goes by the time of the scheduler it is given', () => {
    const scheduler = new TestScheduler(() => {});
    const source = new Subject<string>();
    const seen: string[] = [];
    source.pipe(deduplicate({ by, window: '5ms', scheduler })).subscribe((item) => seen.push(item));
    source.next('a');
    source.next('a');
    scheduler.frame += 5;
    source.next('a');
    expect(seen).to.deep.equal(['a', 'a']);
  });

  it('compares keys, not items, and keeps the first', () => {
    play(({ cold, expectObservable }) => {
      const source = cold('abc|', { a: { id: 1, n: 'a' }, b: { id: 1, n: 'b' }, c: { id: 2, n: 'c' } });
      expectObservable(
        source.pipe(
          deduplicate({ by: ({ id }) => id, window: 10 }),
          map(({ n }) => n),
        ),
      ).toBe('a-c|');
    });
  });

  it('remembers for each subscriber apart', () => {
    const stream = of('a', 'a').pipe(deduplicate({ by, window: 1 }));
    for (let i = 0; i < 2; i += 1) {
      const seen: string[] = [];
      stream.subscribe((item) => seen.push(item));
      expect(seen).to.deep.equal(['a']);
    }
  });

  it('remembers no more than 100,000 keys, however long the time', () => {
    let count = 0;
    concat(range(0, 100_001), of(0, 1))
      .pipe(deduplicate({ by: (item) => item, window: '1h' }))
      .subscribe(() => (count += 1));
    // 0 was forgotten for 100,000; and it drives out 1 when it comes again.
    expect(count).to.equal(100_003);
  });

  it('fails the stream when `by` throws', () => {
    const failing = of('a').pipe(
      deduplicate({
        by: () => {
          throw new Error('no key');
        },
        window: 1,
      }),
    );
    expect(errorOf(failing)).to.have.property('message', 'no key');
  });

  for (const options of [
    {},
    { by },
    { by, window: 0 },
    { by, window: 1.5 },
    { by, window: 'soon' },
    { by, window: 1, size: 2 },
  ]) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      // What a caller without types might give.
      expect(() => deduplicate(options as unknown as DeduplicateOptions<string>)).to.throw(/^operator deduplicate: /);
    });
  }
});

describe('resequence', () => {
  const digits = Object.fromEntries(Array.from('123456789', (digit) => [digit, Number(digit)]));
  const sequence = (item: number) => item;

  it('passes on what comes in order, at once', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('1-2-3|', digits).pipe(resequence({ sequence }))).toBe('1-2-3|', digits);
    });
  });

  it('keeps what is early until its predecessors have come', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('3-2-1----4|', digits).pipe(resequence({ sequence }))).toBe('----(123)4|', digits);
    });
  });

  it('drops what is late, and repeats, also of what still waits', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('1-1-3-3-2-1-3-|', digits).pipe(resequence({ sequence }))).toBe('1-------(23)--|', digits);
    });
  });

  it('keeps the first of two early items with one number', () => {
    const seen: string[] = [];
    of([2, 'first'] as const, [2, 'second'] as const, [1, 'one'] as const)
      .pipe(resequence({ sequence: ([number]) => number }))
      .subscribe(([, text]) => seen.push(text));
    expect(seen).to.deep.equal(['one', 'first']);
  });

  it('has a sequence for each key, starting where `from` says', () => {
    const item = (key: string, number: number) => ({ key, number });
    play(({ cold, expectObservable }) => {
      const items = { a: item('a', 5), b: item('b', 7), c: item('a', 6), d: item('b', 8) };
      const options: ResequenceOptions<ReturnType<typeof item>, string> = {
        by: ({ key }) => key,
        sequence: ({ number }) => number,
        from: (key) => (key === 'a' ? 5 : 7),
      };
      expectObservable(cold('dcb---a---|', items).pipe(resequence(options))).toBe('--(bd)(ac)|', items);
    });
  });

  it('tells of a gap after the timeout, goes on behind it, and drops the missing one when it comes', () => {
    const gaps: unknown[] = [];
    play(({ cold, expectObservable }) => {
      const options: ResequenceOptions<number, undefined> = {
        sequence,
        timeout: '5ms',
        onGap: (...facts) => gaps.push(facts),
      };
      expectObservable(cold('1-3-4----2-5|', digits).pipe(resequence(options))).toBe('1------(34)5|', digits);
    });
    expect(gaps).to.deep.equal([[undefined, 2, [3, 4]]]);
  });

  it('counts the time of a second gap from the moment the first was given up', () => {
    const gaps: number[] = [];
    play(({ cold, expectObservable }) => {
      const onGap = (_key: undefined, expected: number) => gaps.push(expected);
      const source = cold('2-4----------|', digits);
      expectObservable(source.pipe(resequence({ sequence, timeout: 4, onGap }))).toBe('----2---4----|', digits);
    });
    expect(gaps).to.deep.equal([1, 3]);
  });

  it('sets no timer while nothing waits', () => {
    const gaps: number[] = [];
    play(({ cold, expectObservable }) => {
      const onGap = (_key: undefined, expected: number) => gaps.push(expected);
      const source = cold('2-1------3-----4|', digits);
      expectObservable(source.pipe(resequence({ sequence, timeout: 4, onGap }))).toBe('--(12)---3-----4|', digits);
    });
    expect(gaps).to.deep.equal([]);
  });

  it('goes by each key its own time', () => {
    const gaps: unknown[] = [];
    play(({ cold, expectObservable }) => {
      const items = { a: ['a', 2], b: ['b', 2] } as const;
      const options = {
        by: ([key]: readonly [string, number]) => key,
        sequence: ([, number]: readonly [string, number]) => number,
        timeout: '5ms' as const,
        onGap: (key: string, expected: number) => gaps.push([key, expected]),
      };
      expectObservable(cold('a-b--------|', items).pipe(resequence(options))).toBe('-----a-b---|', items);
    });
    expect(gaps).to.deep.equal([
      ['a', 1],
      ['b', 1],
    ]);
  });

  it('gives out what waits when the source ends, gaps and all, and completes', () => {
    const gaps: number[] = [];
    play(({ cold, expectObservable }) => {
      const onGap = (_key: undefined, expected: number) => gaps.push(expected);
      expectObservable(cold('5-3-|', digits).pipe(resequence({ sequence, onGap }))).toBe('----(35|)', digits);
    });
    expect(gaps).to.deep.equal([1, 4]);
  });

  it('takes the missing one from whoever is told of the gap', () => {
    const source = new Subject<number>();
    const seen: number[] = [];
    source
      .pipe(resequence({ sequence, capacity: 1, onGap: (_key, expected) => source.next(expected) }))
      .subscribe((item) => seen.push(item));
    for (const item of [1, 3, 4]) source.next(item);
    expect(seen).to.deep.equal([1, 2, 3, 4]);
  });

  it('gives up the key that has waited longest when the 3rd early item comes and capacity is 2', () => {
    const gaps: unknown[] = [];
    const seen: string[] = [];
    of('a2', 'b2', 'b3', 'b1')
      .pipe(
        resequence({
          by: (item: string) => item[0],
          sequence: (item) => Number(item[1]),
          capacity: 2,
          onGap: (...facts) => gaps.push(facts),
        }),
      )
      .subscribe((item) => seen.push(item));
    expect(gaps).to.deep.equal([['a', 1, ['a2']]]);
    expect(seen).to.deep.equal(['a2', 'b1', 'b2', 'b3']);
  });

  it('forgets the key unused for longest when there is one more than `keys`, and gives out what it kept', () => {
    const gaps: unknown[] = [];
    const seen: string[] = [];
    of('a1', 'b2', 'a2', 'c1', 'b1', 'a3')
      .pipe(
        resequence({
          by: (item: string) => item[0],
          sequence: (item) => Number(item[1]),
          keys: 2,
          onGap: (...facts) => gaps.push(facts),
        }),
      )
      .subscribe((item) => seen.push(item));
    // c drives out b, which had b2; b1 then counts as new, and drives out a.
    expect(seen).to.deep.equal(['a1', 'a2', 'b2', 'c1', 'b1', 'a3']);
    expect(gaps).to.deep.equal([
      ['b', 1, ['b2']],
      ['a', 1, ['a3']],
    ]);
  });

  it('emits in order when an emission leads to the next item', () => {
    const source = new Subject<number>();
    const seen: number[] = [];
    source.pipe(resequence({ sequence })).subscribe((item) => {
      seen.push(item);
      if (item === 1) source.next(4);
      if (item === 2) source.next(3);
    });
    for (const item of [2, 1]) source.next(item);
    expect(seen).to.deep.equal([1, 2, 3, 4]);
  });

  it('fails the stream when a number is none', () => {
    const failing = of('x').pipe(resequence({ sequence: Number }));
    expect(isTroupeError(errorOf(failing), 'TROUPE_INVALID_MESSAGE')).to.equal(true);
  });

  it('fails the stream when onGap throws, from a timer too', () => {
    play(({ cold, expectObservable }) => {
      const onGap = () => {
        // What marbles call an error.
        // oxlint-disable-next-line typescript/only-throw-error
        throw 'error';
      };
      expectObservable(cold('2----', digits).pipe(resequence({ sequence, timeout: 3, onGap }))).toBe('---#');
    });
  });

  it('leaves no timer behind', () => {
    play(({ cold, expectObservable, flush }) => {
      let gaps = 0;
      const onGap = () => (gaps += 1);
      expectObservable(cold('2----', digits).pipe(resequence({ sequence, timeout: 5, onGap })), '^--!').toBe('---');
      flush();
      expect(gaps).to.equal(0);
    });
  });

  for (const options of [
    {},
    { sequence: 1 },
    { sequence, from: 'x' },
    { sequence, timeout: 'soon' },
    { sequence, capacity: 0 },
  ]) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      // What a caller without types might give.
      expect(() => resequence(options as unknown as ResequenceOptions<number, undefined>)).to.throw(
        /^operator resequence: /,
      );
    });
  }
});

describe('summarize', () => {
  const join = (summary: string | undefined, item: string) => `${summary ?? ''}${item}`;

  it('emits one summary of every 3 items', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('abc-de-f--|').pipe(summarize({ count: 3 }, join))).toBe('--x----y--|', {
        x: 'abc',
        y: 'def',
      });
    });
  });

  it('emits after the time, counted from the first item, and nothing while none come', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('-ab-------c----------|').pipe(summarize({ every: '5ms' }, join))).toBe(
        '------x--------y-----|',
        { x: 'ab', y: 'c' },
      );
    });
  });

  it('emits at whichever of count and time comes first, and then starts anew', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('ab-c-d-----e--------|').pipe(summarize({ every: 5, count: 3 }, join))).toBe(
        '---x------y-----z---|',
        { x: 'abc', y: 'd', z: 'e' },
      );
    });
  });

  it('has a summary for each key', () => {
    play(({ cold, expectObservable }) => {
      const source = cold('aBAb--------|');
      const options = { by: (item: string) => item.toLowerCase(), every: '5ms' } as const;
      expectObservable(source.pipe(summarize(options, join))).toBe('-----xy-----|', { x: 'aA', y: 'Bb' });
    });
  });

  it('emits what is open when the source ends, in the order begun', () => {
    play(({ cold, expectObservable }) => {
      const options = { by: (item: string) => item, count: 10 };
      expectObservable(cold('baa|').pipe(summarize(options, join))).toBe('---(xy|)', { x: 'b', y: 'aa' });
    });
  });

  it('emits the oldest early when the 3rd summary opens and keys is 2', () => {
    play(({ cold, expectObservable }) => {
      const options = { by: (item: string) => item, count: 2, keys: 2 };
      expectObservable(cold('abc-b|').pipe(summarize(options, join))).toBe('--a-x(c|)', { a: 'a', x: 'bb', c: 'c' });
    });
  });

  it('gives reduce the key, and undefined with the first item', () => {
    const calls: unknown[] = [];
    of(1, 2, 3)
      .pipe(
        summarize(
          { by: (item) => (item % 2 === 0 ? 'even' : 'odd'), count: 2 },
          (sum: number | undefined, item, key) => {
            calls.push([sum, item, key]);
            return (sum ?? 0) + item;
          },
        ),
      )
      .subscribe();
    expect(calls).to.deep.equal([
      [undefined, 1, 'odd'],
      [undefined, 2, 'even'],
      [1, 3, 'odd'],
    ]);
  });

  it('fails the stream when reduce throws', () => {
    const failing = of(1).pipe(
      summarize({ count: 1 }, () => {
        throw new Error('irreducible');
      }),
    );
    expect(errorOf(failing)).to.have.property('message', 'irreducible');
  });

  it('passes an error of the source on at once, and leaves no timer behind', () => {
    play(({ cold, expectObservable }) => {
      expectObservable(cold('a-#').pipe(summarize({ every: 5 }, join))).toBe('--#');
    });
  });

  it('refuses to work with neither count nor time, and without reduce', () => {
    expect(() => summarize({}, join)).to.throw(
      /^operator summarize: option "every" is missing; give a duration, or a number as "count"/,
    );
    // What a caller without types might give.
    expect(() => summarize({ count: 1 }, undefined as unknown as typeof join)).to.throw(
      /^operator summarize: .*reduce/,
    );
    expect(() => summarize({ count: 0 }, join)).to.throw(/^operator summarize: option "count" is 0/);
  });
});

describe('operators', () => {
  const OPERATORS = {
    perAggregate: perAggregate(() => of(1)),
    deduplicate: deduplicate({ by: () => ({}), window: 1 }),
    resequence: resequence({ sequence: (item: { n: number }) => item.n, from: 0 }),
    summarize: summarize({ count: 1 }, () => 1),
  };
  const endless = range(0, Infinity).pipe(map((n) => ({ aggregate: 'order', aggregateId: String(n), n })));
  for (const [name, operator] of Object.entries(OPERATORS)) {
    it(`leave an endless synchronous source when nobody listens any more: ${name}`, () => {
      let count = 0;
      endless.pipe(operator as (source: typeof endless) => Observable<unknown>, take(3)).subscribe(() => (count += 1));
      expect(count).to.equal(3);
    });

    it(`complete with an empty source: ${name}`, () => {
      let completed = false;
      EMPTY.pipe(operator as (source: Observable<never>) => Observable<unknown>).subscribe({
        complete: () => (completed = true),
      });
      expect(completed).to.equal(true);
    });
  }

  const FAILING = {
    'ofType, source': [ofType('made'), 'source'],
    'perAggregate, source': [perAggregate(() => of(1)), 'source'],
    'deduplicate, source': [deduplicate({ by: (item: { n: number }) => item.n, window: 10 }), 'source'],
    'resequence, source': [resequence({ sequence: (item: { n: number }) => item.n, from: 0 }), 'source'],
    'resequence, by': [resequence({ by: boom('by'), sequence: (item: { n: number }) => item.n }), 'by'],
    'resequence, sequence': [resequence({ sequence: boom('sequence') }), 'sequence'],
    'resequence, from': [
      resequence({ by: () => 1, sequence: (item: { n: number }) => item.n, from: boom('from') }),
      'from',
    ],
    'summarize, source': [summarize({ count: 10 }, () => 1), 'source'],
    'summarize, by': [summarize({ by: boom('by'), count: 10 }, () => 1), 'by'],
  } as const;
  for (const [name, [operator, what]] of Object.entries(FAILING)) {
    it(`fail with the error of the source or of a selector, once, and leave the source: ${name}`, () => {
      const source = new Subject<{ aggregate: string; aggregateId: string; type: string; n: number }>();
      const errors: unknown[] = [];
      source.pipe(operator as (source: Observable<unknown>) => Observable<unknown>).subscribe({
        error: (error: unknown) => errors.push(error),
        complete: () => errors.push('completed'),
      });
      for (let n = 0; n < 3; n += 1) source.next({ aggregate: 'order', aggregateId: 'a', type: 'made', n });
      if (what === 'source') source.error(new Error('source'));
      expect(errors.map(String)).to.deep.equal([`Error: ${what}`]);
      expect(source.observed).to.equal(false);
    });
  }

  it('begin anew with each subscriber', () => {
    const source = of(2, 1, 1, 3);
    const stream = source.pipe(
      deduplicate({ by: (n) => n, window: 10 }),
      resequence({ sequence: (n) => n }),
      summarize({ count: 2 }, (list: readonly number[] | undefined, n) => [...(list ?? []), n]),
    );
    for (let round = 0; round < 2; round += 1) {
      const seen: unknown[] = [];
      stream.subscribe((list) => seen.push(list));
      expect(seen).to.deep.equal([[1, 2], [3]]);
    }
  });

  it('bring any shuffled and repeated source back to the ordered one, key by key', () => {
    const arrivals = array(
      record({ key: constantFrom('a', 'b', 'c'), place: double({ noNaN: true, min: 0, max: 1 }), again: nat(3) }),
      {
        maxLength: 200,
      },
    );
    assert(
      property(arrivals, (facts) => {
        const next = new Map<string, number>();
        const sent = facts.map(({ key, place, again }) => {
          const n = (next.get(key) ?? 0) + 1;
          next.set(key, n);
          return { key, n, place, again };
        });
        const shuffled = sent
          .flatMap((one) =>
            Array.from({ length: one.again + 1 }, (_, copy) => ({ one, at: (one.place + copy * 0.37) % 1 })),
          )
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        const got = new Map<string, number[]>();
        of(...shuffled)
          .pipe(
            resequence({ by: ({ key }) => key, sequence: ({ n }) => n }),
            deduplicate({ by: ({ key, n }) => `${key}${n}`, window: 1_000 }),
          )
          .subscribe(({ key, n }) => got.set(key, [...(got.get(key) ?? []), n]));
        for (const [key, count] of next) {
          expect(got.get(key)).to.deep.equal(Array.from({ length: count }, (_, index) => index + 1));
        }
      }),
    );
  });

  it('work with the real clock', async () => {
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      timer(0, 1)
        .pipe(
          take(5),
          summarize({ every: 1 }, (sum: number | undefined, item) => (sum ?? 0) + item),
        )
        .subscribe({ next: (sum) => seen.push(sum), complete: resolve });
    });
    expect(seen.reduce((sum, item) => sum + item, 0)).to.equal(10);
  });
});
