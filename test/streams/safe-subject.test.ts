import { expect } from 'chai';
import { firstValueFrom, map, scan, Subject, take, toArray } from 'rxjs';
import { SafeSubject } from '../../src/streams/safe-subject.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import { turns } from '../support/turns.js';

function source(): { subject: SafeSubject<number>; lines: string[]; clock: ManualClock } {
  const lines: string[] = [];
  const write = (message: string): void => void lines.push(message);
  const clock = new ManualClock();
  const subject = new SafeSubject<number>({ debug: write, info: write, warn: write, error: write }, 'numbers', clock);
  return { subject, lines, clock };
}

/** What happens on other stacks would end the test run as an uncaught exception. */
async function otherStacks(): Promise<void> {
  await turns();
  await new Promise<void>((resolve) => setTimeout(resolve, 5));
}

describe('a safe subject', () => {
  it('keeps a subscriber that throws subscribed, counts and logs it, and harms no other', async () => {
    const { subject, lines } = source();
    const seen: string[] = [];
    subject.asObservable().subscribe((n) => {
      seen.push(`a${n}`);
      throw new Error(`no ${n}`);
    });
    subject.asObservable().subscribe({ next: (n) => void seen.push(`b${n}`) });
    subject.next(1);
    subject.next(2);
    await otherStacks();
    expect(seen).to.deep.equal(['a1', 'b1', 'a2', 'b2']);
    expect(subject.errors).to.equal(2);
    expect(lines).to.deep.equal(['a subscriber of numbers threw; it stays subscribed: Error: no 1']);
    subject.complete();
    expect(lines[1]).to.match(/no 2 \(1 more like it\)$/);
  });

  it('counts the rejection of an async subscriber as its exception', async () => {
    const { subject } = source();
    const careless = async (n: number): Promise<void> => {
      await turns(1);
      throw new Error(`no ${n}`);
    };
    // JavaScript doesn't mind that nobody waits for it.
    subject.asObservable().subscribe(careless as unknown as (n: number) => void);
    subject.next(1);
    await otherStacks();
    expect(subject.errors).to.equal(1);
  });

  it('subscribes a pipe anew whose operator threw, and its next value comes through', async () => {
    const { subject } = source();
    const seen: number[] = [];
    const subscription = subject
      .asObservable()
      .pipe(
        map((n) => {
          if (n === 2) throw new Error('two');
          return n;
        }),
        scan((sum, n) => sum + n, 0),
      )
      .subscribe((n) => void seen.push(n));
    for (const n of [1, 2, 3, 4]) subject.next(n);
    await otherStacks();
    expect(seen).to.deep.equal([1, 3, 7]);
    expect(subject.errors).to.equal(1);
    subscription.unsubscribe();
    subject.next(5);
    expect(seen).to.have.length(3);
    expect(subject.observed).to.equal(false);
  });

  it('leaves the error of an operator to a subscriber that has a handler for it', async () => {
    const { subject } = source();
    const errors: unknown[] = [];
    const broken$ = subject.asObservable().pipe(
      map(() => {
        throw new Error('broken');
      }),
    );
    broken$.subscribe({ error: (error: unknown) => void errors.push(error) });
    subject.next(1);
    subject.next(2);
    await otherStacks();
    expect(errors).to.have.length(1);
    expect(subject.errors).to.equal(0);
  });

  it('ends a pipe that fails without any value, instead of subscribing for ever', () => {
    const { subject } = source();
    const always$ = subject.asObservable().pipe(
      (source$) => source$,
      scan((n: number) => n, 0),
      map((n) => n),
    );
    let subscriptions = 0;
    always$
      .pipe((inner$) => {
        return inner$.lift({
          call: (subscriber: { error(reason: unknown): void }) => {
            subscriptions += 1;
            subscriber.error(new Error('at once'));
          },
        });
      })
      .subscribe(() => undefined);
    expect(subscriptions).to.equal(1);
    expect(subject.errors).to.equal(1);
  });

  it('shows all subscribers the same order when one of them sends', () => {
    const { subject } = source();
    const seen: string[] = [];
    subject.asObservable().subscribe((n) => {
      if (n === 1) subject.next(2);
    });
    subject.asObservable().subscribe((n) => void seen.push(`b${n}`));
    subject.next(1);
    expect(seen).to.deep.equal(['b1', 'b2']);
  });

  it('is an ordinary Observable to RxJS', async () => {
    const { subject } = source();
    const first = firstValueFrom(subject.asObservable());
    const two = firstValueFrom(subject.asObservable().pipe(take(2), toArray()));
    const copy = new Subject<number>();
    const copied: number[] = [];
    copy.subscribe((n) => void copied.push(n));
    subject.asObservable().subscribe(copy);
    subject.next(1);
    subject.next(2);
    expect(await first).to.equal(1);
    expect(await two).to.deep.equal([1, 2]);
    expect(copied).to.deep.equal([1, 2]);
    let completed = false;
    subject.asObservable().subscribe({ complete: () => (completed = true) });
    subject.complete();
    expect(completed).to.equal(true);
  });
});
