/**
 * What anybody throws who follows the log ends no stream: not its own, it gets the next event; not those of the others.
 * For every way to follow it, on every number of workers.
 */
import { expect } from 'chai';
import { filter, map, type Observable, type Subscription } from 'rxjs';
import type { ActorSystem } from 'troupe';
import { perAggregate } from 'troupe/operators';
import { eventually } from '../support/eventually.js';
import { account, balances, mirror } from './fixtures/bank.js';
import { listener } from './fixtures/listener.js';
import { forEachSetting } from './fixtures/settings.js';

forEachSetting(
  'exceptions of subscribers',
  (start) => {
    let system: ActorSystem;
    beforeEach(async () => {
      system = await start();
    });
    afterEach(() => system.stop());

    /** Deposits, each of which somebody throws at. */
    async function depositThrice(): Promise<void> {
      for (let n = 0; n < 3; n += 1) await system.ref(account, 'a').ask('deposit', { amount: 1 });
      await system.settled();
    }

    const WAYS: Readonly<Record<string, () => Observable<unknown>>> = {
      events: () => system.events,
      'events, piped': () => system.events.pipe(filter(({ type }) => type === 'account.deposited')),
      'events, by an operator of ours': () => system.events.pipe(perAggregate(async (event) => event)),
      'history, live': () => system.history({ live: true }),
      'history of one aggregate, live': () => system.history({ live: true, aggregate: account, id: 'a' }),
      'a row of a view': () => system.view(balances).watch('a'),
      facts: () => system.facts,
    };
    for (const [way, observe] of Object.entries(WAYS)) {
      it(`are its own, and it gets what comes next: ${way}`, async () => {
        let thrown = 0;
        let seen = 0;
        const subscriptions: Subscription[] = [
          observe().subscribe(() => {
            thrown += 1;
            throw new Error(`subscriber of ${way}`);
          }),
          observe().subscribe(() => {
            seen += 1;
          }),
        ];
        await depositThrice();
        let deposits = 3;
        // Views tell of several changes in one batch as of one.
        for (; seen <= 2; deposits += 1) {
          await system.ref(account, 'a').ask('deposit', { amount: 1 });
          await system.settled();
        }
        await eventually(() => thrown === seen);
        // What one sees, the other does, too, until the end.
        for (const subscription of subscriptions) expect(subscription.closed).to.equal(false);
        const before = seen;
        await system.ref(account, 'a').ask('deposit', { amount: 1 });
        await system.settled();
        await eventually(() => seen > before && thrown === seen);
        for (const subscription of subscriptions) subscription.unsubscribe();
        expect((await system.state(mirror, 'a')).seen).to.equal(deposits + 1);
      });
    }

    it('are its own when an operator throws at every other event', async () => {
      const got: number[] = [];
      const calm: number[] = [];
      system.events
        .pipe(
          map(({ position }) => {
            if (position % 2 === 0) throw new Error('even');
            return position;
          }),
        )
        .subscribe((position) => got.push(position));
      system.events.subscribe(({ position }) => calm.push(position));
      await depositThrice();
      expect(calm).to.deep.equal([1, 2, 3, 4, 5, 6]);
      expect(got).to.deep.equal([1, 3, 5]);
      expect(system.metrics().subscriberErrors).to.be.at.least(3);
    });

    it('are its own when the work that perAggregate begins fails, and nobody has said what then', async () => {
      const got: number[] = [];
      system.events
        .pipe(
          filter(({ aggregate }) => aggregate === 'account'),
          perAggregate(async ({ version }) => {
            if (version === 2) throw new Error('the second');
            return version;
          }),
        )
        .subscribe((version) => got.push(version));
      await depositThrice();
      await eventually(() => got.length === 2);
      expect(got).to.deep.equal([1, 3]);
      expect(system.metrics().subscriberErrors).to.equal(1);
    });

    it('are its own within an actor, and its thread goes on', async () => {
      const hall = await start({ cast: new URL('./fixtures/listener.js', import.meta.url), journal: ':memory:' });
      const ears = await hall.spawn(listener, { id: 'ears' });
      await ears.ask('heard');
      // Every thread has said how it is, and before that, that it wants to hear of events.
      await hall.settled();
      for (let n = 0; n < 4; n += 1) await hall.ref(account, 'a').ask('deposit', { amount: 1 });
      await hall.settled();
      const head = hall.metrics().position;
      const heard = Array.from({ length: head }, (_, i) => i + 1).filter((position) => position % 3 !== 0);
      await eventually(async () => (await ears.ask('heard')).thrown === head);
      expect((await ears.ask('heard')).seen).to.deep.equal(heard);
      expect(hall.metrics().workerLosses).to.equal(0);
      await eventually(() => hall.metrics().subscriberErrors === head + Math.floor(head / 3));
      await hall.stop();
    });

    it('are its own when a subscriber of dead letters throws', async () => {
      let thrown = 0;
      let seen = 0;
      system.deadLetters.subscribe(() => {
        thrown += 1;
        throw new Error('subscriber');
      });
      system.deadLetters.subscribe(() => {
        seen += 1;
      });
      for (let n = 0; n < 3; n += 1) system.ref(account, 'a').tell('withdraw', { amount: 1_000 });
      await eventually(() => thrown === 3 && seen === 3);
    });

    it('of a reader that pulls reach only itself', async () => {
      await depositThrice();
      const broken = (async () => {
        for await (const event of system.readAll()) throw new Error(`at ${event.position}`);
        return 'through';
      })().catch(String);
      const positions: number[] = [];
      for await (const { position } of system.readAll()) positions.push(position);
      expect(await broken).to.equal('Error: at 1');
      expect(positions).to.have.length(6);
    });
  },
  (workers, journal) => workers !== 1 && (journal === 'disk') === (workers === 2),
);
