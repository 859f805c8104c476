/** The scenarios about choreography, orchestration, and requests beside events: their checks hold, their diagrams are there. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram, TROUPE } from './run-program.js';

interface Result {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
  readonly totals: Readonly<Record<string, number>>;
}

const storyOf = (name: string): string => fileURLToPath(new URL(`../../scenarios/${name}/${name}.js`, import.meta.url));

describe('the scenarios about ways of working together', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fulfilment-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function run(name: string, ...args: string[]): Promise<{ readonly result: Result; readonly diagram: string }> {
    const mermaid = join(folder, 'run.mmd');
    const given = ['run', storyOf(name), '--json', '--mermaid', mermaid, ...args];
    const { code, stdout, stderr } = await runProgram(TROUPE, given, { cwd: folder });
    expect(code, `${stdout}\n${stderr}`).to.equal(0);
    return { result: JSON.parse(stdout), diagram: readFileSync(mermaid, 'utf8') };
  }

  it('choreography: every order ends, and the diagram shows events from service to service', async () => {
    const { result, diagram } = await run('choreography', '--orders', '12', '--seed', '4');
    expect(result.totals['orders']).to.equal(12);
    expect(result.totals['undone']).to.be.at.least(3);
    expect(diagram).to.match(/^sequenceDiagram\n {2}participant Customer/);
    expect(diagram).to.match(/payment-\)shipment: payment\.processed\n {2}Note over shipment: shipment\.failed/);
    expect(diagram).not.to.contain('fulfil_order');
  });

  it('orchestration: coordinators go on after a restart, and the diagram shows them', async () => {
    const { result, diagram } = await run('orchestration', '--orders', '12', '--seed', '4');
    expect(result.totals['orders']).to.equal(12);
    expect(diagram).to.match(/fulfil_order->>shipment: shipment\.failed\n {2}fulfil_order->>payment: payment\.voided/);
  });

  it('choreography-vs-orchestration: the same orders end the same way, also on worker threads', async () => {
    for (const workers of ['0', '2']) {
      const args = ['--orders', '10', '--seed', '4', '--workers', workers];
      const { result, diagram } = await run('choreography-vs-orchestration', ...args);
      const { totals } = result;
      expect(totals['choreographyMessages']).to.be.greaterThan(100);
      expect(totals['orchestrationMessages']).to.be.greaterThan(100);
      expect(
        result.checks.filter(({ name }) => name.startsWith('choreography') || name.startsWith('orch')),
      ).to.have.length(8);
      expect(diagram.match(/ {2}rect /g)).to.have.length(2);
    }
  });

  it('request-response-vs-events: by events nothing is lost, by asks everything while the bank is down', async () => {
    const { result, diagram } = await run('request-response-vs-events');
    expect(result.totals['lostByEvents']).to.equal(0);
    expect(result.totals['lostByAsks']).to.be.at.least(24);
    expect(diagram).to.contain('bank-->>desk: not available');
    expect(diagram).to.contain('purchase-)purchase: order.paid');
  });

  it('refuse a number of orders that the day does not have', async () => {
    const { code, stdout, stderr } = await runProgram(TROUPE, [
      'run',
      storyOf('choreography'),
      '--orders',
      '4',
      '--json',
    ]);
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    expect(stderr).to.contain('from 5 to 132');
  });
});
