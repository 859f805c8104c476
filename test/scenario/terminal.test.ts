/**
 * Text for people: when it has colour, how wide it is, where it breaks.
 */
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { barChart } from '../../src/scenario/bar-chart.js';
import { readableAmount, readableCount, readableSeconds } from '../../src/scenario/readable-numbers.js';
import { type Environment, openTerminal, wrapText } from '../../src/scenario/terminal.js';

function stream(isTTY: boolean, columns?: number) {
  return Object.assign(new PassThrough(), columns === undefined ? { isTTY } : { isTTY, columns });
}

const COLOURS: readonly (readonly [boolean, Environment, boolean])[] = [
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [false, { FORCE_COLOR: '1' }, true],
  [false, { FORCE_COLOR: '' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [true, { FORCE_COLOR: 'false' }, false],
  [true, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  [false, { FORCE_COLOR: '0', NO_COLOR: '1' }, false],
];

describe('terminal', () => {
  for (const [isTTY, env, coloured] of COLOURS) {
    it(`${coloured ? 'colours' : 'does not colour'} ${isTTY ? 'a terminal' : 'a pipe'} with ${JSON.stringify(env)}`, () => {
      const { palette } = openTerminal(stream(isTTY), env);
      expect(palette.good('ok') !== 'ok').to.equal(coloured);
    });
  }

  it('is as wide as its terminal, but at least 40 and at most 100', () => {
    expect([20, 72, 300].map((columns) => openTerminal(stream(true, columns), {}).width)).to.deep.equal([40, 72, 100]);
    expect(openTerminal(stream(false), {}).width).to.equal(100);
  });

  it('breaks text at spaces, and leaves a word longer than the line whole', () => {
    expect(wrapText('one two three  four', 9)).to.deep.equal(['one two', 'three', 'four']);
    expect(wrapText('incomprehensibilities', 9)).to.deep.equal(['incomprehensibilities']);
    expect(wrapText('', 9)).to.deep.equal(['']);
  });
});

describe('readable numbers', () => {
  it('separates thousands, keeps at most three decimals', () => {
    expect([0, 999, 541_909, -12_345, 1.23456].map(readableCount)).to.deep.equal([
      '0',
      '999',
      '541,909',
      '-12,345',
      '1.235',
    ]);
  });

  it('chooses the unit of a time', () => {
    expect([0, 0.042, 0.5, 9.994, 9.996, 59.94, 59.96, 125, 3_720].map(readableSeconds)).to.deep.equal([
      '0 ms',
      '42 ms',
      '0.50 s',
      '9.99 s',
      '10.0 s',
      '59.9 s',
      '1 min 00 s',
      '2 min 05 s',
      '1 h 02 min',
    ]);
  });

  it('says one check, but 12 checks', () => {
    expect(readableAmount(1, 'check', 'checks')).to.equal('1 check');
    expect(readableAmount(12, 'check', 'checks')).to.equal('12 checks');
  });
});

describe('bar chart', () => {
  const paint = (bar: string) => bar;

  it('draws the greatest value over the whole width and the others in proportion, to an eighth', () => {
    const rows = [
      { label: 'all', value: 800 },
      { label: 'half', value: 400, text: 'a half' },
      { label: 'an eighth of one', value: 10 },
      { label: 'none', value: 0 },
      { label: 'less', value: -5 },
    ];
    expect(barChart(rows, { lineWidth: 80, width: 10, paint })).to.deep.equal([
      '  all               ██████████  800',
      '  half              █████       a half',
      '  an eighth of one  ▏           10',
      '  none                          0',
      '  less                          -5',
    ]);
  });

  it('shows something of the smallest value above 0', () => {
    expect(
      barChart(
        [
          { label: 'a', value: 1_000_000 },
          { label: 'b', value: 1 },
        ],
        { lineWidth: 80, width: 4, paint },
      )[1],
    ).to.equal('  b  ▏     1');
  });

  it('fits the line, and shortens a long label', () => {
    const rows = [{ label: 'x'.repeat(60), value: 1 }];
    const [line = ''] = barChart(rows, { lineWidth: 60, paint });
    expect(line.length).to.be.at.most(60);
    expect(line).to.match(/^ {2}x{27}… {2}█+ {2}1$/);
  });

  it('draws nothing for no rows, and no bar when all values are 0', () => {
    expect(barChart([], { lineWidth: 80, paint })).to.deep.equal([]);
    expect(barChart([{ label: 'a', value: 0 }], { lineWidth: 80, width: 4, paint })).to.deep.equal(['  a        0']);
  });
});
