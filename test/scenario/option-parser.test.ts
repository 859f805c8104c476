/**
 * Command-line options: what is taken, and the one line that says why something is not.
 */
import { expect } from 'chai';
import { parseOptions, takeWord } from '../../src/scenario/option-parser.js';
import { ScenarioInputError } from '../../src/scenario/scenario-input-error.js';

const SPECS = {
  input: { type: 'string', placeholder: 'FILE', description: 'D' },
  failAt: { type: 'number', default: 7, description: 'D' },
  resume: { type: 'boolean', description: 'D' },
  help: { type: 'boolean', description: 'D' },
} as const;

const REFUSED: readonly (readonly [readonly string[], string])[] = [
  [['--inptu', 'x'], "unknown option --inptu; did you mean '--input'?"],
  [['--failAt', '3'], "unknown option --failAt; did you mean '--fail-at'?"],
  [['--colour'], 'unknown option --colour; there are --input --fail-at --resume --help'],
  [['--__proto__'], 'unknown option --__proto__; there are --input --fail-at --resume --help'],
  [['-i'], 'unknown option -i; there are --input --fail-at --resume --help'],
  [['--input'], '--input needs a value: --input FILE'],
  [['--input', '--resume'], '--input needs a value: --input FILE'],
  [['--input', ''], '--input got an empty value; write --input FILE, or leave it out'],
  [['--input='], '--input got an empty value; write --input FILE, or leave it out'],
  [['--input', '  '], '--input got an empty value; write --input FILE, or leave it out'],
  [['--fail-at', 'soon'], "--fail-at takes a number, such as --fail-at N; got 'soon'"],
  [['--fail-at', 'Infinity'], "--fail-at takes a number, such as --fail-at N; got 'Infinity'"],
  [['--resume=yes'], '--resume takes no value; write --resume alone, or leave it out'],
];

describe('option parser', () => {
  for (const [args, message] of REFUSED) {
    it(`refuses ${JSON.stringify(args.join(' '))} in one line`, () => {
      expect(() => parseOptions(SPECS, args))
        .to.throw(ScenarioInputError)
        .with.property('message', message);
    });
  }

  it('gives defaults for what is not given: false for a boolean, undefined for a text', () => {
    const { values, given } = parseOptions(SPECS, []);
    expect(values).to.deep.equal({ input: undefined, failAt: 7, resume: false, help: false });
    expect([...given]).to.deep.equal([]);
  });

  it('reads both ways of writing a value, negative numbers and -h', () => {
    const { values, given } = parseOptions(SPECS, ['--input=a=b', '--fail-at', '-3.5', '-h']);
    expect(values).to.deep.equal({ input: 'a=b', failAt: -3.5, resume: false, help: true });
    expect([...given]).to.deep.equal(['input', 'failAt', 'help']);
  });

  it('takes the last of several equal options', () => {
    expect(parseOptions(SPECS, ['--input', 'a', '--input', 'b']).values.input).to.equal('b');
  });

  it('takes a value that begins with dashes when it is tied to its option', () => {
    expect(parseOptions(SPECS, ['--input=--resume']).values).to.include({ input: '--resume', resume: false });
  });

  it('tells words from the values of options, and everything behind -- is a word', () => {
    expect(parseOptions(SPECS, ['one', '--input', 'a', 'two', '--', '--resume']).words).to.deep.equal([
      'one',
      'two',
      '--resume',
    ]);
  });

  it('takes the first word out of a line, wherever it stands', () => {
    expect(takeWord(SPECS, ['--input', 'a', 'story', '--other', 'b'])).to.deep.equal({
      word: 'story',
      at: 2,
      rest: ['--input', 'a', '--other', 'b'],
    });
    expect(takeWord(SPECS, ['--resume']).word).to.equal(undefined);
  });
});
