/**
 * A scenario's definition: checked when it is made, frozen, typed by its options, known by its brand.
 */
import { expect } from 'chai';
import { TroupeError } from '../../src/core/troupe-error.js';
import { defineScenario, isScenario, optionFlag } from '../../src/scenario/define-scenario.js';

const sound = { name: 'a-story', title: 'T', goal: 'G', method: 'M', expected: 'E', run: () => undefined };

/** What a caller from plain JavaScript may hand in. */
function define(scenario: unknown): unknown {
  // The wrong types are what is being tested.
  return defineScenario(scenario as typeof sound);
}

const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ['nothing', undefined, /takes an object with name, title/],
  ['null', null, /takes an object/],
  ['no name', { ...sound, name: undefined }, /name is lower-case letters.*undefined/],
  ['a name that is no file name', { ...sound, name: '../shop' }, /'\.\.\/shop'/],
  ['an upper-case name', { ...sound, name: 'Shop' }, /'Shop'/],
  ['an empty title', { ...sound, title: ' ' }, /a-story: title must be a text/],
  ['no goal', { ...sound, goal: undefined }, /goal must be a text/],
  ['no method', { ...sound, method: 5 }, /method must be a text/],
  ['no expected end', { ...sound, expected: undefined }, /expected must be a text/],
  ['no run', { ...sound, run: undefined }, /run must be a function/],
  ['half a worker', { ...sound, workers: 0.5 }, /workers must be a whole number from 0 to 256; got 0\.5/],
  ['257 workers', { ...sound, workers: 257 }, /from 0 to 256; got 257/],
  ['keepJournal that is no function', { ...sound, keepJournal: true }, /keepJournal must be a function/],
  [
    'an option of unknown type',
    { ...sound, options: { a: { type: 'date', description: 'D' } } },
    /type of option a.*'date'/,
  ],
  ['an option that is nothing', { ...sound, options: { a: null } }, /option a is null; give \{ type/],
  ['an option without description', { ...sound, options: { a: { type: 'string' } } }, /option a needs a description/],
  [
    'an option called as a common one',
    { ...sound, options: { json: { type: 'boolean', description: 'D' } } },
    /an option --json already/,
  ],
  [
    'two options written alike',
    {
      ...sound,
      options: { failAt: { type: 'string', description: 'D' }, 'fail-at': { type: 'string', description: 'D' } },
    },
    /an option --fail-at already/,
  ],
  ['an option that is no word', { ...sound, options: { 'a b': { type: 'string', description: 'D' } } }, /'a b'/],
  [
    'a default of another type',
    { ...sound, options: { a: { type: 'number', description: 'D', default: '7' } } },
    /default of option a must be a number; got '7'/,
  ],
];

describe('defineScenario', () => {
  for (const [what, scenario, message] of REFUSED) {
    it(`refuses ${what}, naming it`, () => {
      expect(() => define(scenario))
        .to.throw(TroupeError, message)
        .with.property('code', 'TROUPE_INVALID_OPTIONS');
    });
  }

  it('freezes the definition and its options, and leaves what it was given alone', () => {
    const options = { a: { type: 'string', description: 'D' } } as const;
    const scenario = defineScenario({ ...sound, options });
    expect(Object.isFrozen(scenario)).to.equal(true);
    expect(Object.isFrozen(scenario.options)).to.equal(true);
    expect(Object.isFrozen(scenario.options.a)).to.equal(true);
    expect(Object.isFrozen(options)).to.equal(false);
  });

  it('is known by its brand, also when another copy of the package made it', () => {
    expect(isScenario(defineScenario(sound))).to.equal(true);
    expect(isScenario({ ...sound, options: {}, [Symbol.for('troupe.scenario')]: true })).to.equal(true);
    for (const other of [sound, undefined, null, 'a-story', () => sound]) expect(isScenario(other)).to.equal(false);
  });

  it('writes the option failAt as --fail-at', () => {
    expect(optionFlag('failAt')).to.equal('fail-at');
    expect(optionFlag('fail-at')).to.equal('fail-at');
  });

  it('infers the values of options: a boolean has one, a text or number has one with a default', () => {
    defineScenario({
      ...sound,
      options: {
        input: { type: 'string', description: 'D' },
        output: { type: 'string', description: 'D', default: 'out' },
        count: { type: 'number', description: 'D', default: 7 },
        limit: { type: 'number', description: 'D' },
        resume: { type: 'boolean', description: 'D' },
      },
      keepJournal: ({ resume }) => resume,
      run(ctx) {
        const input: string | undefined = ctx.options.input;
        const output: string = ctx.options.output;
        const count: number = ctx.options.count;
        const limit: number | undefined = ctx.options.limit;
        const resume: boolean = ctx.options.resume;
        // @ts-expect-error a text without default may be missing
        const text: string = ctx.options.input;
        // @ts-expect-error no such option
        const other: unknown = ctx.options.other;
        // @ts-expect-error options are read, not written
        ctx.options.count = 8;
        return void [input, output, count, limit, resume, text, other];
      },
    });
    defineScenario({
      ...sound,
      run(ctx) {
        // @ts-expect-error this scenario has no options
        void ctx.options.input;
      },
    });
    // @ts-expect-error an unknown type of option
    expect(() => defineScenario({ ...sound, options: { a: { type: 'date', description: 'D' } } })).to.throw();
  });
});
