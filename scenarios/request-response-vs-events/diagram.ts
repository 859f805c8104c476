/** The sequence diagram of one order that was placed while the bank was down, by asks and by events. */
import { writeFile } from 'node:fs/promises';
import type { RecordedEvent } from 'troupe';
import { sequenceDiagram } from '../fulfilment/sequence-diagram.js';
import type { Call } from './by-asks.js';

export async function writeBothWays(
  file: string | undefined,
  calls: readonly Call[],
  events: readonly RecordedEvent[],
  say: (text: string) => void,
): Promise<void> {
  if (file === undefined) return;
  const byEvents = sequenceDiagram([{ title: 'by events, while the bank is down', events }])
    .trimEnd()
    .split('\n');
  const participants = ['desk', ...new Set(calls.map(({ to }) => to))].map((name) => `  participant ${name}`);
  const head = byEvents.findLastIndex((line) => line.startsWith('  participant '));
  const asked = calls.flatMap(({ to, what, outcome }) => [`  desk->>${to}: ${what}`, `  ${to}-->>desk: ${outcome}`]);
  const byAsks = [
    '  rect rgb(245, 245, 245)',
    '  Note right of Customer: by asks, while the bank is down',
    '  Customer->>desk: place',
    ...asked,
    '  Note over Customer: has given up, or is told that it failed',
    '  end',
  ];
  const lines = [...byEvents.slice(0, head + 1), ...participants, ...byAsks, ...byEvents.slice(head + 1), ''];
  await writeFile(file, lines.join('\n'));
  say(`The sequence diagram of an order placed while the bank was down, both ways, is in ${file}.`);
}
