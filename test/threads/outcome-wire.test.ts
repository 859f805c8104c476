/** The row of outcomes: whatever is written in whatever order is read in that order, through the codec of frames. */
import { expect } from 'chai';
import { array, assert, constant, integer, oneof, property, record } from 'fast-check';
import { TroupeError } from '../../src/core/troupe-error.js';
import { toWireError } from '../../src/core/wire-error.js';
import { FrameCodec } from '../../src/threads/frame-codec.js';
import { OutcomeWriter, readOutcomes, type WireOutcomes } from '../../src/threads/outcome-wire.js';

/** Every outcome as a text. */
function read(items: WireOutcomes): string[] {
  const found: string[] = [];
  readOutcomes(items, {
    done: (seq) => found.push(`done ${seq}`),
    taken: (seq) => found.push(`taken ${seq}`),
    reply: (seq, value, position, version) => found.push(`reply ${seq} ${String(value)} ${position} ${version}`),
    fail: (seq, { code }) => found.push(`fail ${seq} ${String(code)}`),
  });
  return found;
}

const FULL = toWireError(new TroupeError('TROUPE_MAILBOX_FULL', 'full'));

describe('outcomes on their way', () => {
  it('are read as they were written, whatever their kinds, numbers and order', () => {
    const step = oneof({ weight: 5, arbitrary: constant(1) }, { weight: 1, arbitrary: integer({ min: -40, max: 40 }) });
    const outcome = record({
      step,
      kind: integer({ min: 0, max: 4 }),
      value: oneof(constant(undefined), integer(), constant('text')),
    });
    assert(
      property(array(outcome, { maxLength: 60 }), (outcomes) => {
        const writer = new OutcomeWriter();
        const expected: string[] = [];
        let seq = 1_000;
        for (const { step: by, kind, value } of outcomes) {
          seq += by;
          if (kind === 0) writer.done(seq);
          else if (kind === 1) writer.taken(seq);
          else if (kind === 2) writer.reply(seq, value, 0, 0);
          else if (kind === 3) writer.reply(seq, value, 7, 3);
          else writer.fail(seq, FULL);
          const place = kind === 3 ? '7 3' : '0 0';
          expected.push(
            kind === 0
              ? `done ${seq}`
              : kind === 1
                ? `taken ${seq}`
                : kind === 4
                  ? `fail ${seq} TROUPE_MAILBOX_FULL`
                  : `reply ${seq} ${String(value)} ${place}`,
          );
        }
        const nothing = { placements: [], signals: [], withdrawn: [], credits: 0, mail: [] };
        const bytes = new FrameCodec().encode({ ...nothing, outcomes: writer.take() });
        expect(read(new FrameCodec().decode(bytes).outcomes)).to.deep.equal(expected);
        expect(writer.length).to.equal(0);
      }),
    );
  });

  it('of a thousand messages without reply in their order take three values', () => {
    const writer = new OutcomeWriter();
    for (let seq = 1; seq <= 1_000; seq += 1) writer.done(seq);
    const row = writer.take();
    expect(row).to.have.length(3);
    expect(read(row)).to.deep.equal(Array.from({ length: 1_000 }, (_, i) => `done ${i + 1}`));
  });

  it('of a new frame name their first message again', () => {
    const writer = new OutcomeWriter();
    writer.done(1);
    expect(read(writer.take())).to.deep.equal(['done 1']);
    writer.done(2);
    writer.reply(3, 'three', 0, 0);
    expect(read(writer.take())).to.deep.equal(['done 2', 'reply 3 three 0 0']);
  });
});
