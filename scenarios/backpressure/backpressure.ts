/**
 * A fast producer and slow consumers: what each policy of a full mailbox drops, and that `send` drops nothing because
 * the producer waits.
 */
import { ActorSystem, defineScenario, type ActorRef } from 'troupe';
import { CAPACITY, droppingNewest, droppingOldest, neighbour, rejecting, waitedFor } from './cast.js';

const ITEMS = 2_000;
/** Milliseconds within which a neighbour answers beside a flood, on a busy machine. */
const ANSWERS_WITHIN_MS = 500;

type Consumer = ActorRef<typeof rejecting>;

export const backpressure = defineScenario({
  name: 'backpressure',
  title: 'Faster than the one who has to do it',
  goal: 'Show what becomes of messages that a slow actor has no room for, and how a sender is slowed down instead.',
  method:
    'A producer has 2,000 items for consumers that take a millisecond for each and have room for 100: by tell under each overflow policy, and by send. A neighbour is asked while the producer waits.',
  expected:
    'What is not handled is a dead letter with the reason of its policy, none is unaccounted for; by send all are handled, in order, and no more than the mailbox holds ever wait.',
  async run(ctx) {
    const silent = (): void => undefined;
    const system = await ActorSystem.start({
      name: 'backpressure',
      cast: new URL('./cast.js', import.meta.url),
      journal: ctx.journal,
      workers: ctx.workers,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    });
    let highest = 0;
    system.facts.subscribe((fact) => {
      if (fact.kind === 'mailbox-high-water') highest = Math.max(highest, fact.waiting);
    });
    try {
      const aside = await system.spawn(neighbour);
      const answersMs: number[] = [];
      const ping = async (): Promise<void> => {
        const startedMs = performance.now();
        await aside.ask('ping');
        answersMs.push(performance.now() - startedMs);
      };
      const rows: { label: string; value: number; text: string }[] = [];
      const policies = [
        { definition: rejecting, reason: 'mailbox-full', kept: 'first' },
        { definition: droppingNewest, reason: 'dropped-newest', kept: 'first' },
        { definition: droppingOldest, reason: 'dropped-oldest', kept: 'last' },
      ] as const;
      for (const { definition, reason, kept } of policies) {
        const ref: Consumer = await system.spawn(definition);
        for (let n = 1; n <= ITEMS; n += 1) ref.tell('item', n);
        await system.settled();
        const seen = await ref.ask('seen');
        const letters = system.deadLetters.list().filter(({ target }) => target.name === definition.name);
        rows.push({
          label: definition.name,
          value: seen.length,
          text: `${seen.length} handled, ${letters.length} dropped`,
        });
        ctx.check(`${definition.name}: every item is handled or a dead letter`, ITEMS, seen.length + letters.length);
        ctx.check(`${definition.name}: the reason`, [reason], [...new Set(letters.map((letter) => letter.reason))]);
        ctx.checkThat(`${definition.name}: what is handled is in order`, isAscending(seen));
        ctx.checkThat(
          `${definition.name}: the ${kept} items are kept`,
          kept === 'first' ? seen[CAPACITY - 1] === CAPACITY : seen.at(-1) === ITEMS,
          `${seen[0]} to ${seen.at(-1)}`,
        );
        await ref.stop();
      }

      const ref = await system.spawn(waitedFor);
      const startedMs = performance.now();
      const sent: Promise<void>[] = [];
      for (let n = 1; n <= ITEMS; n += 1) {
        // One lane: the next item goes when this one has been taken.
        await ref.send('item', n, { timeout: '60s' });
        if (n % 50 === 0) sent.push(ping());
      }
      const slowedMs = performance.now() - startedMs;
      await Promise.all(sent);
      await system.settled();
      const seen = await ref.ask('seen');
      rows.push({
        label: 'send',
        value: seen.length,
        text: `${seen.length} handled, the producer waited ${Math.round(slowedMs)} ms`,
      });
      ctx.say();
      ctx.bars(rows);
      ctx.say();
      ctx.check('send: all items are handled, in order', [ITEMS, true], [seen.length, isAscending(seen)]);
      ctx.check(
        'send: nothing is dropped',
        0,
        system.deadLetters.list().filter(({ target }) => target.name === waitedFor.name).length,
      );
      ctx.checkThat(
        'send: the producer is as slow as the consumer, but for what the mailbox holds',
        slowedMs >= (ITEMS - CAPACITY - 1) * 0.9,
        `${Math.round(slowedMs)} ms for ${ITEMS} items of 1 ms`,
      );
      ctx.checkThat('no mailbox ever held more than its capacity', highest <= CAPACITY, `${highest} of ${CAPACITY}`);
      const usual = answersMs.toSorted((one, other) => one - other)[answersMs.length >> 1] ?? Infinity;
      ctx.checkThat(
        'a full mailbox holds up no neighbour',
        usual < ANSWERS_WITHIN_MS,
        `answered within ${usual.toFixed(1)} ms (median)`,
      );
      ctx.total('items', ITEMS * 4);
      ctx.total('dropped', system.metrics().facts.dropped);
      ctx.total('slowedMs', Math.round(slowedMs));
    } finally {
      await system.stop();
    }
  },
});

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? 0));
}
