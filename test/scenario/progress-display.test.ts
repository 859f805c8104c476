/**
 * Progress: a bar on a terminal, now and then a line elsewhere.
 */
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { startProgress } from '../../src/scenario/progress-display.js';
import { openTerminal } from '../../src/scenario/terminal.js';
import { HandClock, TextSink } from './fake-host.js';

describe('progress', () => {
  it('writes at most one line every 5 s without a terminal, and no control characters', () => {
    const sink = new TextSink();
    const clock = new HandClock();
    const progress = startProgress({ total: 20_000, unit: 'rows' }, openTerminal(sink, {}), clock);
    for (let done = 1; done <= 12_000; done++) {
      clock.advance(1);
      progress.update(done, { lag: 12, phase: 'replay' });
    }
    progress.stop();
    expect(sink.lines).to.deep.equal([
      '   25%  5,000 of 20,000 rows · 1,000 rows/s · 15 s left · lag 12 · phase replay',
      '   50%  10,000 of 20,000 rows · 1,000 rows/s · 10 s left · lag 12 · phase replay',
    ]);
  });

  it('draws a bar on a terminal that never fills the line, and leaves out facts that have no room', () => {
    for (const columns of [40, 60, 80, 200]) {
      const sink = new TextSink(columns);
      const progress = startProgress({ total: 5_331, unit: 'rows' }, openTerminal(sink, {}), new HandClock());
      progress.update(2_000, { lag: 123_456, phase: 'replay of everything there is' });
      progress.stop();
      const drawn = stripVTControlCharacters(sink.text.replaceAll('\u001b[1G', '\n')).split('\n');
      for (const line of drawn) expect(line.length, line).to.be.below(columns);
      expect(drawn.join('\n')).to.include('37%  2,000');
      expect(sink.text.includes('phase')).to.equal(columns === 200);
    }
  });

  it('neither hides the cursor nor changes how the terminal wraps, which a killed process could not undo', () => {
    const sink = new TextSink(80);
    const progress = startProgress({ total: 10, unit: 'rows' }, openTerminal(sink, {}), new HandClock());
    progress.update(5);
    progress.stop();
    expect(sink.text).to.not.match(/\?25|\?7/);
  });

  it('leaves signals to the runner', () => {
    const before = process.listenerCount('SIGINT');
    const progress = startProgress({ total: 10, unit: 'rows' }, openTerminal(new TextSink(80), {}), new HandClock());
    expect(process.listenerCount('SIGINT')).to.equal(before);
    progress.stop();
  });

  it('clears the bar for a line above it, and draws it again', () => {
    const sink = new TextSink(80);
    const progress = startProgress({ total: 10, unit: 'rows' }, openTerminal(sink, {}), new HandClock());
    sink.text = '';
    progress.above(() => sink.write('a line\n'));
    progress.stop();
    progress.stop();
    expect(sink.text.startsWith('\r\u001b[2Ka line\n')).to.equal(true);
    expect(sink.text.indexOf('0 of 10 rows')).to.be.above(0);
  });

  it('counts 0 of 0 as done', () => {
    const sink = new TextSink();
    const clock = new HandClock();
    const progress = startProgress({ total: 0, unit: 'rows' }, openTerminal(sink, {}), clock);
    clock.advance(5_000);
    progress.update(0);
    expect(sink.lines).to.deep.equal(['  100%  0 of 0 rows']);
  });
});
