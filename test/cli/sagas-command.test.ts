/** `troupe sagas`: where sagas are and why, beside a running system; retry and cancel without one. */
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ActorSystem } from 'troupe';
import { deadLettersCommand } from '../../src/cli/dead-letters-command.js';
import { sagasCommand } from '../../src/cli/sagas-command.js';
import { errand, shop } from './fixtures/errands.js';
import { folderOfSuite, runTool } from './tool-run.js';

const ERRANDS = fileURLToPath(new URL('./fixtures/errands.js', import.meta.url));
const sagas = (...args: string[]) => runTool(sagasCommand, args);
const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const startErrands = (journal: string): Promise<ActorSystem> =>
  ActorSystem.start({ cast: [shop, errand], workers: 0, journal, log });

interface Listed {
  readonly counts: Record<string, number>;
  readonly sagas: readonly { readonly id: string; readonly state: string; readonly waitingFor?: string }[];
}

describe('troupe sagas', function () {
  this.timeout(60_000);
  const folder = folderOfSuite();
  const path = folder.path('errands.db');
  before(async () => {
    const system = await startErrands(path);
    for (const way of ['through', 'wait', 'sleep', 'fail', 'fail-clean'] as const) {
      await system.ref(errand, `${way}-1`).start(way);
    }
    await system.settled();
    await system.stop();
  });
  const copyOf = (name: string): string => {
    copyFileSync(path, folder.path(name));
    return folder.path(name);
  };

  it('counts the states, and lists what needs a look first, with what each waits for and since when', async () => {
    const end = await sagas(path);
    expect(end.code).to.equal(0);
    expect(end.lines[0]).to.equal('1 waiting, 1 sleeping, 1 parked, 1 done, 1 failed');
    expect(end.lines[2]).to.match(/^errand\/fail-1 +parked +\d{4}-\d\d-\d\d .* a person/);
    expect(end.stdout).to.match(/errand\/wait-1 +waiting +\d{4}-.* shop\.opened/);
    expect(end.stdout).to.match(/errand\/sleep-1 +sleeping +\d{4}-.* the time until \d{4}-/);
    expect(end.stdout).to.match(/errand\/fail-clean-1 +failed .*it rained/);
  });

  it('lists one state, or one definition, also as JSON', async () => {
    const [waiting] = (await sagas(path, '--state', 'waiting', '--json')).json() as unknown as Listed[];
    expect(waiting?.counts).to.deep.equal({ waiting: 1, sleeping: 1, parked: 1, done: 1, failed: 1 });
    expect(waiting?.sagas.map(({ id, state, waitingFor }) => [id, state, waitingFor])).to.deep.equal([
      ['wait-1', 'waiting', 'shop.opened'],
    ]);
    expect((await sagas(path, '--name', 'other')).stderr).to.contain('there are no sagas');
    const wrong = await sagas(path, '--state', 'stuck');
    expect(wrong.code).to.equal(2);
    expect(wrong.stderr).to.contain('compensating');
  });

  it('shows one as a timeline with durations and errors, by its id alone where that is clear', async () => {
    const parked = await sagas('show', path, 'fail-1');
    expect(parked.code).to.equal(0);
    expect(parked.stdout).to.match(/state +parked/);
    expect(parked.stdout).to.match(/waits for +a person/);
    expect(parked.stdout).to.match(/\d+ ms +\d+ ms +run +ask shop\/s buy/);
    expect(parked.stdout).to.match(/stopped, because it failed: .*it rained/);
    expect(parked.stdout).to.match(/compensation 0 "give it back" is parked: .*the shop is shut/);
    const [done] = (await sagas('show', path, 'errand/through-1', '--json')).json();
    expect(done).to.include({ state: 'done', name: 'errand', id: 'through-1' });
    expect(JSON.stringify(done)).to.contain('through-1 is here');
    const open = await sagas('show', path, 'wait-1');
    expect(open.stdout).to.match(/wait for shop\.opened +under way/);
    const sleeping = await sagas('show', path, 'sleep-1');
    expect(sleeping.stdout).to.match(/sleep +until \d{4}-/);
  });

  it('says so, with exit code 1, when there is none', async () => {
    const end = await sagas('show', path, 'nobody');
    expect(end.code).to.equal(1);
    expect(end.stderr).to.contain('there is no saga nobody');
    expect((await sagas('show', path, 'errand/nobody')).code).to.equal(1);
  });

  it('retries what is parked: fails with 1 while its cause stands, and is done when it is mended', async () => {
    const copy = copyOf('retry.db');
    expect((await sagas('retry', copy, 'fail-1')).code, 'without the code').to.equal(2);
    const again = await sagas('retry', copy, 'fail-1', '--cast', ERRANDS);
    expect(again.code).to.equal(1);
    expect(again.stderr).to.contain('failed again');
    const system = await startErrands(copy);
    await system.ref(shop, 's').ask('open');
    await system.settled();
    await system.stop();
    const end = await sagas('retry', copy, 'fail-1', '--cast', ERRANDS);
    expect(end).to.include({ code: 0, stdout: 'errand/fail-1 goes on\n' });
    expect((await sagas(copy)).lines[0]).to.equal('1 sleeping, 2 done, 2 failed');
    expect((await sagas('retry', copy, 'fail-1', '--cast', ERRANDS)).code, 'nothing is left').to.equal(1);
  });

  it('goes on without a compensation whose dead letter was discarded while the system was down', async () => {
    const copy = copyOf('discarded.db');
    const end = await runTool(deadLettersCommand, ['discard', copy, 'parked>errand/fail-1>0']);
    expect(end.stdout).to.equal('parked>errand/fail-1>0 is discarded; its saga goes on at the next start\n');
    const system = await startErrands(copy);
    await system.settled();
    expect(await system.ref(errand, 'fail-1').status()).to.include({ state: 'failed' });
    expect(system.deadLetters.list()).to.deep.equal([]);
    await system.stop();
  });

  it('cancels at the next start, with the reason; not one that has ended, and not beside a running system', async () => {
    const copy = copyOf('cancel.db');
    const end = await sagas('cancel', copy, 'sleep-1', '--reason', 'no time');
    expect(end.code).to.equal(0);
    const ended = await sagas('cancel', copy, 'through-1');
    expect(ended.code).to.equal(1);
    expect(ended.stderr).to.contain('has ended (done)');
    const system = await startErrands(copy);
    const locked = await sagas('cancel', copy, 'wait-1');
    expect(locked.code).to.not.equal(0);
    expect(locked.stderr).to.contain("ref(errand, 'wait-1').cancel");
    await system.ref(shop, 's').ask('open');
    await system.settled();
    // Cancelled before the shop opened, so its compensation was refused.
    const { state } = await system.ref(errand, 'sleep-1').status();
    expect(state).to.be.oneOf(['parked', 'cancelled']);
    expect((await sagas('show', copy, 'sleep-1')).stdout).to.match(/was cancelled: .*no time/);
    await system.stop();
  });

  it('knows a journal without any', async () => {
    const empty = folder.path('empty.db');
    await (await startErrands(empty)).stop();
    const end = await sagas(empty);
    expect(end.code).to.equal(0);
    expect(end.stderr).to.contain('there are no sagas');
  });
});
