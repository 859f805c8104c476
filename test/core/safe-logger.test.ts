/** Logging harms nobody who logs, and what can be shown is shown. */
import { expect } from 'chai';
import { loggedValue } from '../../src/core/logged-value.js';
import { safeLogger } from '../../src/core/safe-logger.js';
import { TroupeError } from '../../src/core/troupe-error.js';

function throwing(): never {
  throw new Error('not to be read');
}

/** Throws whatever is done to it. */
const hostile = new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing });

describe('safeLogger', () => {
  const lines: (readonly [message: unknown, fields: unknown])[] = [];
  const write = (message: unknown, fields: unknown): void => void lines.push([message, fields]);
  const sink = { debug: write, info: write, warn: write, error: write };
  // As JavaScript would call.
  const loosely = (log: unknown) => log as { info(message?: unknown, fields?: unknown): void };
  beforeEach(() => (lines.length = 0));

  it('hands on text and fields, of whatever is logged', () => {
    const log = loosely(safeLogger(sink));
    const error = new RangeError('too far');
    log.info('plain', { n: 1 });
    log.info('alone');
    log.info(null, null);
    log.info(Symbol('s'), 7);
    log.info({ n: 1 }, error);
    log.info();
    expect(lines).to.deep.equal([
      ['plain', { n: 1 }],
      ['alone', undefined],
      ['null', { value: null }],
      ['Symbol(s)', { value: 7 }],
      ['{"n":1}', { error }],
      ['undefined', undefined],
    ]);
  });

  it('lets a field that throws stand for what it threw, beside the others', () => {
    const fields = {
      n: 1,
      get bad(): never {
        return throwing();
      },
    };
    loosely(safeLogger(sink)).info('text', fields);
    const [, read] = lines[0] ?? [];
    expect(read).to.have.property('n', 1);
    expect(String((read as { bad: unknown }).bad)).to.equal('a getter that throws Error: not to be read');
  });

  it('speaks in the name it was given, with its facts', () => {
    const log = loosely(safeLogger(sink, { prefix: 'a/1: ', facts: { actor: 'a' } }));
    log.info(Symbol('s'));
    log.info('text', { n: 1 });
    expect(lines).to.deep.equal([
      ['a/1: Symbol(s)', { actor: 'a' }],
      ['a/1: text', { actor: 'a', n: 1 }],
    ]);
  });

  it('never throws, neither by what is logged nor by what is behind it', () => {
    const broken = { debug: throwing, info: throwing, warn: throwing, error: throwing };
    loosely(safeLogger(broken)).info('text');
    loosely(safeLogger(sink)).info(hostile, hostile);
    loosely(safeLogger(sink)).info({ toJSON: throwing, [Symbol.for('nodejs.util.inspect.custom')]: throwing });
    expect(lines).to.deep.equal([['an object', undefined]]);
  });
});

describe('a logged value', () => {
  const cycle: Record<string, unknown> = { n: 1 };
  cycle['self'] = cycle;
  const cases: readonly [what: string, value: unknown, shown: string][] = [
    ['a text', 'as it is', 'as it is'],
    ['an object', { a: [1, null] }, '{"a":[1,null]}'],
    ['undefined', undefined, 'undefined'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a function', () => 1, 'a function'],
    ['an integer without limit', 12n, '12n'],
    ['one within an object', { a: 12n }, '{ a: 12n }'],
    ['a cycle', cycle, '<ref *1> { n: 1, self: [Circular *1] }'],
    ['an object that is nothing as JSON', { toJSON: () => undefined }, '[object Object]'],
    ['a TroupeError', new TroupeError('TROUPE_ASK_TIMEOUT', 'late'), 'TROUPE_ASK_TIMEOUT: late'],
    ['an object that throws when it is looked at', hostile, '{}'],
  ];
  for (const [what, value, shown] of cases) {
    it(`shows ${what}`, () => {
      expect(loggedValue(value)).to.equal(shown);
    });
  }

  it('shows a stranger’s error with its stack, and without one with its class', () => {
    const error = new RangeError('too far');
    expect(loggedValue(error)).to.match(/^RangeError: too far\n +at /);
    Object.defineProperty(error, 'stack', { value: undefined });
    expect(loggedValue(error)).to.equal('RangeError: too far');
  });
});
