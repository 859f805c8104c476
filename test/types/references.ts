/** Types of references: which messages there are, what goes with them, and what comes back. */
import type { RuntimeActor } from '../../src/actors/actor-definition.js';
import type { ActorRef, Addressable } from '../../src/actors/actor-ref.js';
import type { Receipt } from '../../src/actors/message-options.js';
import { expectType } from './expect-type.js';
import type { order, tally } from './shop.js';

export async function aggregateRef(ref: ActorRef<typeof order>): Promise<void> {
  expectType<{ total: number }>()(await ref.ask('create', { lines: [], total: 1, currency: 'EUR' }));
  // The input type of the schema counts: a default may be left out.
  expectType<{ total: number }>()(await ref.ask('create', { lines: [], total: 1 }));
  expectType<number>()(await ref.ask('ship', { at: 1 }));
  expectType<void>()(await ref.ask('nothing', {}));
  expectType<'noted'>()(await ref.ask('note', { note: 'fragile' }));
  expectType<number>()(await ref.ask('touch'));
  expectType<number>()(
    await ref.ask('touch', undefined, { timeout: '1s', correlationId: 'c', metadata: { user: 'u' } }),
  );
  expectType<boolean>()(await ref.ask('swallow'));
  expectType<boolean>()(await ref.ask('swallow', { whatever: true }));

  expectType<number>()(await ref.ask('total'));
  expectType<{ sku: string; quantity: number } | null>()(await ref.ask('line', 0));

  expectType<Receipt<{ total: number }>>()(await ref.ask('create', { lines: [], total: 1 }, { receipt: true }));
  expectType<Receipt<number>>()(await ref.ask('touch', undefined, { receipt: true }));
  expectType<number>()(await ref.ask('touch', undefined, { receipt: false }));

  expectType<void>()(ref.tell('ship', { at: 1 }, { id: 'once' }));
  await ref.send('ship', { at: 1 }, { timeout: 100 });
  ref.tell('touch');

  // @ts-expect-error wrong reply
  void ((await ref.ask('ship', { at: 1 })) satisfies string);
  // @ts-expect-error wrong payload
  await ref.ask('ship', { at: '1' });
  // @ts-expect-error a field too many
  await ref.ask('ship', { at: 1, by: 'sea' });
  // @ts-expect-error unknown type
  await ref.ask('shipp', { at: 1 });
  // @ts-expect-error the payload is missing
  await ref.ask('ship');
  // @ts-expect-error the payload is missing
  ref.tell('ship');
  // @ts-expect-error wrong payload
  ref.tell('ship', { at: 'noon' });
  // @ts-expect-error wrong payload
  await ref.send('note', { note: 1 });
  // @ts-expect-error there is no payload
  ref.tell('touch', 1);
  // @ts-expect-error a query is only asked
  ref.tell('total');
  // @ts-expect-error a query is only asked
  await ref.send('total');
  // @ts-expect-error wrong input of a query
  await ref.ask('line', 'first');
  // @ts-expect-error the input of the query is missing
  await ref.ask('line');
  // @ts-expect-error no such option
  await ref.ask('ship', { at: 1 }, { timeOut: 1 });
  // @ts-expect-error no duration
  await ref.ask('ship', { at: 1 }, { timeout: '1 second' });
  // @ts-expect-error only an ask has a receipt
  ref.tell('ship', { at: 1 }, { receipt: true });
  // @ts-expect-error an aggregate can't be stopped
  await ref.stop();
  // @ts-expect-error `toString` is no message
  ref.tell('toString');
}

export async function actorRef(ref: ActorRef<typeof tally>, other: ActorRef): Promise<void> {
  expectType<number>()(await ref.ask('total'));
  expectType<void>()(await ref.ask('add', 1));
  expectType<string>()(await ref.ask('describe'));
  expectType<string>()(await ref.ask('describe', { long: true }));
  ref.tell('add', 1, { priority: 1 });
  ref.tell('swallow');
  ref.tell('swallow', new Map([[1n, new Date()]]));
  expectType<boolean>()(ref.equals(other));
  expectType<void>()(await ref.stop());

  // @ts-expect-error wrong payload
  ref.tell('add', 'one');
  // @ts-expect-error the payload is missing
  ref.tell('add');
  // @ts-expect-error there is no payload
  ref.tell('total', 1);
  // @ts-expect-error wrong payload
  ref.tell('describe', { short: true });
  // @ts-expect-error unknown type
  ref.tell('substract', 1);
  // @ts-expect-error wrong reply
  void ((await ref.ask('total')) satisfies string);
}

export async function untypedRef(typed: ActorRef<typeof tally>, aggregate: ActorRef<typeof order>): Promise<void> {
  // A typed reference passes where any is taken.
  const some: readonly ActorRef[] = [typed, aggregate];
  const stoppable: ActorRef<RuntimeActor> = typed;
  await stoppable.stop();
  for (const ref of some) {
    ref.tell('anything', { at: all });
    expectType<unknown>()(await ref.ask('anything'));
    expectType<Receipt>()(await ref.ask('anything', undefined, { receipt: true }));
  }
}

/** As in `system.ref(definition, id)`. */
declare function refOf<D extends Addressable>(definition: D, id: string): ActorRef<D>;
declare const all: number;

export async function generic(definition: typeof order): Promise<void> {
  expectType<ActorRef<typeof order>>()(refOf(definition, '1'));
  expectType<number>()(await refOf(definition, '1').ask('total'));
}
