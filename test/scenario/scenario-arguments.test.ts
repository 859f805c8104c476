/**
 * The options every scenario has, refused before anything happens when they can't be used.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { defineScenario } from '../../src/scenario/define-scenario.js';
import { parseScenarioArguments } from '../../src/scenario/scenario-arguments.js';
import { ScenarioInputError } from '../../src/scenario/scenario-input-error.js';

const story = defineScenario({
  name: 'story',
  title: 'T',
  goal: 'G',
  method: 'M',
  expected: 'E',
  options: { input: { type: 'string', description: 'D' } },
  run: () => undefined,
});

const REFUSED: readonly (readonly [readonly string[], RegExp])[] = [
  [['--workers', '1.5'], /^--workers takes a whole number from 0 to 256, or auto; got '1\.5'$/],
  [['--workers', '-1'], /got '-1'$/],
  [['--workers', 'abc'], /got 'abc'$/],
  [['--workers', '0x2'], /got '0x2'$/],
  [['--workers', '257'], /from 0 to 256, or auto; got '257'$/],
  [['--workers', '9999'], /got '9999'$/],
  [['--workers='], /^--workers got an empty value/],
  [['--seed', 'x'], /^--seed takes a whole number from 0 to 9007199254740991; got 'x'$/],
  [['--seed', '-1'], /got '-1'$/],
  [['--seed', '1e3'], /got '1e3'$/],
  [['--seed', '9007199254740992'], /got '9007199254740992'$/],
  [['--journal', ''], /^--journal got an empty value/],
  [['--journal', 'no-such-folder/x.db'], /there is no folder no-such-folder; create it, or choose another$/],
  [['story.csv'], /^'story\.csv' is no option/],
  [['--jsn'], /did you mean '--json'\?$/],
];

describe('scenario arguments', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'scenario-arguments-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [args, message] of REFUSED) {
    it(`refuses ${JSON.stringify(args.join(' '))}`, () => {
      expect(() => parseScenarioArguments(story, args)).to.throw(ScenarioInputError, message);
    });
  }

  it('refuses a journal that is a folder, or lies in a file', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => parseScenarioArguments(story, ['--journal', folder])).to.throw(
      /is a folder; give a file in it, such as/,
    );
    expect(() => parseScenarioArguments(story, ['--journal', join(file, 'x.db')])).to.throw(/file is no folder/);
  });

  it('takes what is well given', () => {
    const journal = join(folder, 'x.db');
    const args = ['--workers', 'auto', '--seed', '42', '--journal', journal, '--json', '--input', 'a.csv'];
    expect(parseScenarioArguments(story, args)).to.deep.equal({
      help: false,
      json: true,
      workers: 'auto',
      seed: 42,
      journal,
      options: { input: 'a.csv' },
    });
    expect(parseScenarioArguments(story, ['--journal', ':memory:', '--workers', '3'])).to.include({
      journal: ':memory:',
      workers: 3,
    });
  });

  it('has no workers, seed 1 and no journal by default', () => {
    expect(parseScenarioArguments(story, [])).to.deep.include({ json: false, workers: 0, seed: 1, journal: undefined });
  });

  it('gives help whatever values are wrong beside it', () => {
    expect(parseScenarioArguments(story, ['--help', '--seed', 'x', 'word']).help).to.equal(true);
  });
});
