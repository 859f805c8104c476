/** Mailboxes against a model: bounds, order, overflow, waiting for room. */
import { expect } from 'chai';
import { array, assert, constantFrom, integer, property, record, tuple } from 'fast-check';
import { Envelope } from '../../src/core/envelope.js';
import { Mailbox, type Offer, type Overflow } from '../../src/mailbox/mailbox.js';
import { MessageSlots, type Sealer } from '../../src/mailbox/message-slots.js';
import { PriorityMailbox } from '../../src/mailbox/priority-mailbox.js';
import { Stash } from '../../src/mailbox/stash.js';

interface Sent {
  readonly envelope: Envelope;
  readonly name: number;
  taken: boolean;
}

function sent(name: number, waits: boolean, priority = 0): Sent {
  const one: Sent = {
    name,
    taken: false,
    envelope: new Envelope('t', 'a', 'm', name, {
      waits,
      priority,
      sink: {
        wantsReply: false,
        taken: () => (one.taken = true),
        reply: () => undefined,
        fail: () => undefined,
      },
    }),
  };
  return one;
}

/** Two of three messages take the short way first, one of them as a plain message if it is none that waits. */
function offered(mailbox: Mailbox | PriorityMailbox, { envelope, name }: Sent): Offer {
  if (!(mailbox instanceof Mailbox) || name % 3 === 0) return mailbox.offer(envelope);
  const before = mailbox.size;
  const isPlain = name % 3 === 1 && !envelope.waits;
  const size = isPlain ? mailbox.pushPlain('m', name, FACTS, 1_000 + name) : mailbox.push(envelope);
  expect(mailbox.size).to.equal(size === 0 ? before : size);
  return size === 0 ? mailbox.offer(envelope) : 'taken';
}

/** Takes the next message, now as an envelope, now as it stands there. */
function taken(mailbox: Mailbox | PriorityMailbox, slots: MessageSlots, sealer: Sealer, asEnvelope: boolean): unknown {
  if (asEnvelope || !(mailbox instanceof Mailbox)) return mailbox.take();
  const next = mailbox.shift();
  if (typeof next !== 'string') return next;
  const { payload, facts, seq } = slots;
  slots.release();
  expect([slots.payload, slots.facts]).to.deep.equal([undefined, undefined]);
  return sealer.seal(next, payload, facts, seq);
}

const FACTS = { correlationId: 'c' };

const overflow = constantFrom<Overflow>('reject', 'drop-oldest', 'drop-newest');
const step = record({
  call: constantFrom('tell', 'send', 'tell', 'send', 'take', 'take', 'withdraw', 'drain'),
  priority: integer({ min: -1, max: 2 }),
  which: integer({ min: 0, max: 5 }),
});

for (const kind of ['Mailbox', 'PriorityMailbox'] as const) {
  describe(kind, () => {
    const make = (
      capacity: number,
      policy: Overflow,
      ...[slots, sealer]: [] | [MessageSlots, Sealer]
    ): Mailbox | PriorityMailbox =>
      kind === 'Mailbox'
        ? new Mailbox({ capacity, overflow: policy }, slots, sealer)
        : new PriorityMailbox({ capacity, overflow: policy });

    it('refuses the 1,001st message when capacity is 1,000', () => {
      const mailbox = make(1_000, 'reject');
      for (let i = 0; i < 1_000; i += 1) expect(mailbox.offer(sent(i, false).envelope)).to.equal('taken');
      expect(mailbox.offer(sent(1_000, false).envelope)).to.equal('refused');
      expect(mailbox.size).to.equal(1_000);
    });

    it('behaves like its model under every policy: bounded, in order, nothing lost', () => {
      assert(
        property(
          tuple(integer({ min: 1, max: 4 }), overflow),
          array(step, { maxLength: 80 }),
          ([capacity, policy], steps) => {
            const slots = new MessageSlots();
            const envelopes = new Map<unknown, Envelope>();
            const sealer: Sealer = {
              seal(type, payload, facts, seq) {
                expect([type, facts, seq]).to.deep.equal(['m', FACTS, 1_000 + Number(payload)]);
                return envelopes.get(payload) as Envelope;
              },
            };
            const mailbox = make(capacity, policy, slots, sealer);
            let held: Sent[] = [];
            let waiting: Sent[] = [];
            const rank = ({ envelope }: Sent): number => (kind === 'Mailbox' ? 0 : envelope.priority);
            const next = (): Sent | undefined => {
              let best: Sent | undefined;
              for (const one of held) if (best === undefined || rank(one) > rank(best)) best = one;
              return best;
            };
            const lowest = (): Sent | undefined => {
              let worst: Sent | undefined;
              for (const one of held) if (worst === undefined || rank(one) < rank(worst)) worst = one;
              return worst;
            };
            let name = 0;
            for (const { call, priority, which } of steps) {
              if (call === 'tell' || call === 'send') {
                const one = sent((name += 1), call === 'send', priority);
                envelopes.set(name, one.envelope);
                const offer = offered(mailbox, one);
                if (held.length < capacity && waiting.length === 0) {
                  expect(offer).to.equal('taken');
                  held.push(one);
                } else if (call === 'send') {
                  expect(offer).to.equal('waiting');
                  waiting.push(one);
                } else if (policy === 'drop-newest') expect(offer).to.equal('dropped-newest');
                else if (policy === 'drop-oldest' && waiting.length === 0) {
                  const gone = lowest();
                  if (gone?.envelope.waits === true) {
                    expect(offer).to.equal('refused');
                    continue;
                  }
                  expect(offer).to.deep.equal({ droppedOldest: gone?.envelope });
                  held = held.filter((other) => other !== gone);
                  held.push(one);
                } else expect(offer).to.equal('refused');
              } else if (call === 'take') {
                const expected = next();
                expect(taken(mailbox, slots, sealer, which % 2 === 0)).to.equal(expected?.envelope);
                held = held.filter((other) => other !== expected);
                while (waiting.length > 0 && held.length < capacity) {
                  const moved = waiting.shift() as Sent;
                  expect(moved.taken).to.equal(true);
                  held.push(moved);
                }
              } else if (call === 'withdraw') {
                const one = [...waiting, ...held][which];
                if (one === undefined) continue;
                expect(mailbox.withdraw(one.envelope)).to.equal(waiting.includes(one));
                waiting = waiting.filter((other) => other !== one);
              } else {
                const order = held
                  .map((one, i) => [one, i] as const)
                  .sort(([a, i], [b, j]) => rank(b) - rank(a) || i - j);
                expect(mailbox.drain()).to.deep.equal(
                  [...order.map(([one]) => one), ...waiting].map((one) => one.envelope),
                );
                held = [];
                waiting = [];
              }
              expect(mailbox.size).to.equal(held.length + waiting.length);
              for (const one of waiting) expect(one.taken).to.equal(false);
            }
          },
        ),
        { numRuns: 500 },
      );
    });

    it('drops nothing that was taken and might have waited: in front of it drop-oldest refuses the newcomer', () => {
      const mailbox = make(2, 'drop-oldest');
      const command = sent(1, true).envelope;
      mailbox.offer(command);
      mailbox.offer(sent(2, false).envelope);
      expect(mailbox.offer(sent(3, false).envelope)).to.equal('refused');
      expect(mailbox.take()).to.equal(command);
    });

    it('withdraws 20,000 who wait, from either end, at the price of each alone', () => {
      for (const order of ['first', 'last'] as const) {
        const mailbox = make(1, 'reject');
        mailbox.offer(sent(0, false).envelope);
        const waiting = Array.from({ length: 20_000 }, (_, i) => sent(i, true).envelope);
        for (const one of waiting) mailbox.offer(one);
        const leaving = order === 'first' ? waiting : waiting.toReversed();
        const before = performance.now();
        const withdrawn = leaving.filter((one) => mailbox.withdraw(one)).length;
        // 5 ms; at a price that grows with those who wait, 8 s.
        expect(performance.now() - before).to.be.below(1_000);
        expect(withdrawn).to.equal(20_000);
        expect(mailbox.size).to.equal(1);
      }
    });
  });
}

describe('Stash', () => {
  it('behaves like its model: asked back in the order first set aside, bounded by its capacity', () => {
    const call = constantFrom('put', 'put', 'unstashAll', 'take', 'remove');
    assert(
      property(integer({ min: 1, max: 5 }), array(call, { maxLength: 60 }), (capacity, calls) => {
        const stash = new Stash(capacity);
        let aside: Envelope[] = [];
        let asked: Envelope[] = [];
        let name = 0;
        for (const one of calls) {
          if (one === 'put') {
            const { envelope } = sent((name += 1), false);
            const room = aside.length + asked.length < capacity;
            expect(stash.put(envelope)).to.equal(room);
            if (room) aside.push(envelope);
          } else if (one === 'unstashAll') {
            stash.unstashAll();
            asked = [...aside, ...asked];
            aside = [];
          } else if (one === 'take') expect(stash.take()).to.equal(asked.shift());
          else {
            const gone = aside.at(-1);
            if (gone === undefined) continue;
            stash.remove(gone);
            aside.pop();
          }
          expect(stash.asked).to.equal(asked.length);
        }
        expect(stash.drain()).to.deep.equal([...asked, ...aside]);
      }),
    );
  });
});
