/**
 * The runner within one process: what it writes where, and what it returns.
 */
import { inspect, stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { TroupeError } from '../../src/core/troupe-error.js';
import { defineScenario } from '../../src/scenario/define-scenario.js';
import { runScenario } from '../../src/scenario/run-scenario.js';
import type { ScenarioContext } from '../../src/scenario/scenario-context.js';
import { Interruption } from '../../src/scenario/scenario-host.js';
import { ScenarioInputError } from '../../src/scenario/scenario-input-error.js';
import { type FakeHost, fakeHost } from './fake-host.js';

type Play = (ctx: ScenarioContext<object>) => void | Promise<void>;

function story(run: Play) {
  return defineScenario({
    name: 'story',
    title: 'A story',
    goal: 'To be told.',
    method: 'Word by word.',
    expected: 'A happy end.',
    options: { input: { type: 'string', placeholder: 'FILE', description: 'where it comes from' } },
    run,
  });
}

/** Runs on a journal that is never opened. */
function play(run: Play, args: readonly string[] = [], host: FakeHost = fakeHost()) {
  return runScenario(story(run), ['--journal', ':memory:', ...args], host, 'troupe run story.js');
}

function parse(
  text: string,
): { ok: boolean; checks: { name: string; ok: boolean; actual: unknown }[] } & Record<string, unknown> {
  return JSON.parse(text);
}

const holds = (ctx: ScenarioContext<object>): void => void ctx.checkThat('all is well', true);

describe('scenario runner', () => {
  it('fails a scenario that makes no check', async () => {
    const host = fakeHost();
    expect(await play((ctx) => ctx.say('hello'), ['--json'], host)).to.equal(1);
    const result = parse(host.stdout.text);
    expect(result.ok).to.equal(false);
    expect(result.checks).to.have.length(1);
  });

  it('fails when one of 3 checks fails, and shows what was expected and what came', async () => {
    const host = fakeHost();
    const code = await play(
      (ctx) => {
        expect(ctx.check('a', 1, 1)).to.equal(true);
        expect(ctx.check('units', 12_345, 12_344)).to.equal(false);
        expect(ctx.checkThat('c', true)).to.equal(true);
      },
      [],
      host,
    );
    expect(code).to.equal(1);
    expect(host.stdout.text).to.include('  ✗ units\n      expected  12,345\n      actual    12,344\n');
    expect(host.stdout.text).to.include('✗ 1 of 3 checks failed');
  });

  for (const error of [
    new ScenarioInputError('line 3:\n  8 columns'),
    new TroupeError('TROUPE_INVALID_OPTIONS', 'line 3: 8 columns'),
    new TroupeError('TROUPE_JOURNAL_LOCKED', 'line 3: 8 columns'),
    new TroupeError('TROUPE_JOURNAL_CORRUPT', 'line 3: 8 columns'),
  ]) {
    it(`ends with 2 and one line on ${'code' in error ? error.code : ''}, nothing on standard output with --json`, async () => {
      const host = fakeHost();
      const code = await play(
        (ctx) => {
          ctx.check('a', 1, 1);
          throw error;
        },
        ['--json'],
        host,
      );
      expect(code).to.equal(2);
      expect(host.stdout.text).to.equal('');
      expect(host.stderr.text).to.equal('story: line 3: 8 columns\n');
    });
  }

  it('ends with 1, a failed check and the stack when the scenario throws', async () => {
    const host = fakeHost();
    const code = await play(
      (ctx) => {
        ctx.check('a', 1, 1);
        throw new Error('it burned down');
      },
      ['--json'],
      host,
    );
    expect(code).to.equal(1);
    expect(parse(host.stdout.text).checks[1]).to.deep.equal({
      name: 'runs to its end',
      ok: false,
      expected: true,
      actual: 'it burned down',
    });
    expect(host.stderr.text).to.match(/story: it burned down\n[^]*Error: it burned down\n {4}at /);
  });

  it('ends with 1 whatever is thrown, undefined too', async () => {
    for (const thrown of [undefined, null, 'a text', { code: 'TROUPE_JOURNAL_LOCKED' }]) {
      const host = fakeHost();
      expect(await play(() => Promise.reject(thrown), [], host), inspect(thrown)).to.equal(1);
    }
  });

  it('ends with 1 on any other error of Troupe, with its code', async () => {
    const host = fakeHost();
    const code = await play(() => Promise.reject(new TroupeError('TROUPE_ASK_TIMEOUT', 'no answer')), [], host);
    expect(code).to.equal(1);
    expect(host.stderr.text).to.include('TROUPE_ASK_TIMEOUT');
  });

  it('writes exactly one line to standard output with --json, and the story to standard error', async () => {
    const host = fakeHost();
    const code = await play(
      (ctx) => {
        ctx.say('once upon a time');
        ctx.warn('beware');
        ctx.bars([{ label: 'wolves', value: 7 }]);
        ctx.total('rows', 5_331);
        ctx.events(1_000);
        host.clock.advance(500);
        ctx.check('rows', 5_331, 5_331);
      },
      ['--json', '--workers', '2'],
      host,
    );
    expect(code).to.equal(0);
    expect(host.stdout.text).to.equal(
      '{"scenario":"story","ok":true,"seconds":0.5,"events":1000,"eventsPerSecond":2000,"workers":2,' +
        '"checks":[{"name":"rows","ok":true,"expected":5331,"actual":5331}],"totals":{"rows":5331}}\n',
    );
    for (const text of ['once upon a time', 'beware', 'wolves', '✓ rows']) expect(host.stderr.text).to.include(text);
  });

  it('counts auto workers as a number of at least 1 in the result', async () => {
    const host = fakeHost();
    await play(holds, ['--json', '--workers', 'auto'], host);
    expect(parse(host.stdout.text)['workers']).to.be.a('number').at.least(1);
  });

  it('tells the story on standard output: header, lines, checks, totals, verdict', async () => {
    const host = fakeHost();
    await play(
      (ctx) => {
        ctx.say('once upon a time');
        ctx.total('rows', 5_331);
        ctx.events(1_000);
        host.clock.advance(2_000);
        ctx.check('rows', 5_331, 5_331);
      },
      ['--seed', '9'],
      host,
    );
    expect(host.stdout.lines).to.deep.equal([
      '',
      'A story  story',
      '',
      '  Goal      To be told.',
      '  Method    Word by word.',
      '  Expected  A happy end.',
      '  Run       workers 0, seed 9, journal :memory:',
      '',
      'once upon a time',
      '',
      'Checks',
      '  ✓ rows  5,331',
      '',
      'Totals',
      '  rows 5,331',
      '',
      '✓ 1 check holds  1,000 events · 2.00 s · 500 events/s · workers 0 · seed 9',
      '',
    ]);
    expect(host.stderr.text).to.equal('');
  });

  it('keeps the header within the width of the terminal', async () => {
    const host = fakeHost({ columns: 50 });
    const long = defineScenario({ ...story(holds), goal: 'word '.repeat(60) });
    await runScenario(long, ['--journal', ':memory:'], host, 'c');
    for (const line of stripVTControlCharacters(host.stdout.text).split('\n')) expect(line.length).to.be.at.most(50);
  });

  it('uses no colour without a terminal', async () => {
    const host = fakeHost();
    await play((ctx) => void ctx.check('a', 1, 2), [], host);
    expect(host.stdout.text + host.stderr.text).to.not.include('\u001b');
  });

  it('shows help without running, with the options of its own', async () => {
    const host = fakeHost();
    expect(
      await runScenario(
        story(() => expect.fail('it ran')),
        ['--help'],
        host,
        'troupe run story.js',
      ),
    ).to.equal(0);
    for (const text of [
      'A happy end.',
      'troupe run story.js [options]',
      '--input FILE',
      'where it comes from',
      '--workers N|auto',
      '-h, --help',
    ]) {
      expect(host.stdout.text).to.include(text);
    }
  });

  it('refuses unknown options without running', async () => {
    const host = fakeHost();
    expect(await play(() => expect.fail('it ran'), ['--inptu', 'x'], host)).to.equal(2);
    expect(host.stderr.text).to.equal("story: unknown option --inptu; did you mean '--input'?\n");
    expect(host.stdout.text).to.equal('');
  });

  it('hands the context over whole: frozen, usable in parts, seeded', async () => {
    const draws: number[] = [];
    for (const seed of ['5', '5', '6']) {
      await play(
        (ctx) => {
          expect(Object.isFrozen(ctx)).to.equal(true);
          expect(ctx).to.include({
            workers: 3,
            seed: Number(seed),
            journal: ':memory:',
            journalGiven: true,
            json: false,
            interactive: false,
          });
          const { random, check } = ctx;
          draws.push(random());
          check('a', 1, 1);
        },
        ['--workers', '3', '--seed', seed],
      );
    }
    expect(draws[0]).to.equal(draws[1]);
    expect(draws[0]).to.not.equal(draws[2]);
  });

  it('refuses totals and counts that are no numbers, which JSON would turn into null', async () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await play((ctx) => ctx.total('rows', wrong))).to.equal(1);
      expect(await play((ctx) => ctx.events(wrong))).to.equal(1);
    }
  });

  it('stops a progress display that the scenario left open', async () => {
    const host = fakeHost({ columns: 80 });
    const code = await play(
      (ctx) => {
        ctx.progress({ total: 10, unit: 'rows' }).update(5);
        ctx.progress({ total: 20, unit: 'rows' }).update(5);
        holds(ctx);
      },
      [],
      host,
    );
    expect(code).to.equal(0);
    // A bar that still ran would draw again, and keep this process alive.
    const drawn = host.stderr.text.length;
    await new Promise(setImmediate);
    expect(host.stderr.text.length).to.equal(drawn);
  });
});

describe('scenario runner, ended early', () => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`tells the scenario of ${signal}, waits for it and returns ${exitCode}`, async () => {
      const host = fakeHost();
      let stopped = false;
      const code = play(
        async (ctx) => {
          holds(ctx);
          await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }));
          await new Promise(setImmediate);
          stopped = true;
        },
        ['--json'],
        host,
      );
      host.end(new Interruption(signal));
      expect(await code).to.equal(exitCode);
      expect(stopped).to.equal(true);
      expect(parse(host.stdout.text).checks[1]).to.deep.include({ ok: false, actual: `ended by ${signal}` });
      expect(host.clock.waiting).to.equal(0);
    });
  }

  it('leaves behind a scenario that does not stop within 5 s, and hears no more of it', async () => {
    const host = fakeHost();
    let say: ((text: string) => void) | undefined;
    const code = play(
      (ctx) => {
        say = ctx.say;
        return new Promise(() => undefined);
      },
      [],
      host,
    );
    host.end(new Interruption('SIGINT'));
    host.clock.advance(4_999);
    await new Promise(setImmediate);
    expect(host.stdout.text).to.not.include('Checks');
    host.clock.advance(1);
    expect(await code).to.equal(130);
    const written = host.stdout.text;
    say?.('still here');
    expect(host.stdout.text).to.equal(written);
  });

  it('fails with the error that nobody caught, even if the scenario then ends well', async () => {
    const host = fakeHost();
    const code = play(
      async (ctx) => {
        holds(ctx);
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }));
      },
      ['--json'],
      host,
    );
    host.end(new Error('thrown into the void'));
    expect(await code).to.equal(1);
    expect(parse(host.stdout.text)).to.deep.include({ ok: false });
    expect(host.stderr.text).to.include('thrown into the void');
  });
});
