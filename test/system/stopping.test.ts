/** Laws of the end of a system: phases with deadlines, a report, signals, and nothing that is left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ActorSystem, isTroupeError } from 'troupe';
import { caught, forEachNumberOfWorkers } from './fixtures/company.js';
import { slowpoke } from './fixtures/ensemble.js';

const CHILD = fileURLToPath(new URL('./fixtures/several-systems.js', import.meta.url));

forEachNumberOfWorkers('stop()', (start) => {
  it('finishes what is in the mailboxes, and says so', async () => {
    const system = await start();
    const ref = await system.spawn(slowpoke);
    const replies = [20, 10, 1].map((ms) => ref.ask('work', ms));
    const report = await system.stop();
    expect(await Promise.all(replies)).to.deep.equal(['done', 'done', 'done']);
    expect(report).to.deep.include({ complete: true, unhandled: {} });
  });

  it('reports what could not be handled within the deadline, by definition; that fails with TROUPE_SYSTEM_STOPPED', async () => {
    const lines: string[] = [];
    const line = (text: string): void => void lines.push(text);
    const system = await start({ name: 'late', log: { debug: line, info: line, warn: line, error: line } });
    const ref = await system.spawn(slowpoke);
    const hung = caught(ref.ask('hang', undefined, { timeout: '60s' }));
    const behind = caught(ref.ask('work', 1, { timeout: '60s' }));
    const report = await system.stop({ timeout: '300ms' });
    expect(report.complete).to.equal(false);
    expect(report.unhandled).to.deep.equal({ slowpoke: 2 });
    expect(report.phases.find(({ phase }) => phase === 'mailboxes')?.complete).to.equal(false);
    expect([(await hung).code, (await behind).code]).to.deep.equal(['TROUPE_SYSTEM_STOPPED', 'TROUPE_SYSTEM_STOPPED']);
    expect(lines.join('\n')).to.contain('not handled: 2 of slowpoke');
  });

  it('gives every caller the same report, also one that comes when it is over', async () => {
    const system = await start();
    const [first, second] = await Promise.all([system.stop(), system.stop()]);
    expect(second).to.equal(first);
    expect(await system.stop()).to.equal(first);
  });
});

describe('several systems in one process', function () {
  this.timeout(90_000);

  it('leave no handle, thread or timer behind', async () => {
    const { code, signal, output } = await ended(run('end'));
    expect({ code, signal }).to.deep.equal({ code: 0, signal: null });
    expect(JSON.parse(output)).to.deep.equal({ doubled: [42, 42], complete: [true, true] });
  });

  for (const [which, works] of [
    ['first', ['1000', '20']],
    ['second', ['20', '1000']],
  ] as const) {
    it(`stop on SIGTERM when asked to, finish what they handle, and the process ends by that signal when all have, the ${which} one last`, async () => {
      const child = run('signal', ...works);
      const end = ended(child);
      await printed(child, 'ready');
      child.kill('SIGTERM');
      const { signal, output } = await end;
      expect(signal).to.equal('SIGTERM');
      expect(output.match(/worked/g)).to.have.length(2);
    });
  }

  it('refuse signals that are none to stop on', async () => {
    const error: unknown = await ActorSystem.start({
      cast: [slowpoke],
      workers: 0,
      journal: ':memory:',
      signals: ['SIGKILL'] as never,
    }).catch((one: unknown) => one);
    expect(isTroupeError(error, 'TROUPE_INVALID_OPTIONS')).to.equal(true);
    expect((error as Error).message).to.contain('SIGTERM');
  });
});

function run(...args: string[]): ChildProcess {
  return spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function printed(child: ChildProcess, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes(text)) resolve();
    });
  });
}

function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null; output: string }> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })));
}
