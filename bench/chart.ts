/**
 * `npm run bench:chart`: draws the chart of the README from the newest run in bench/results/.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readRecord } from './harness/bench-record.js';
import { chartSvg } from './harness/chart.js';

/** What people ask first. */
const SHOWN = [
  'mailbox.tell-bursts-of-1000',
  'mailbox.ping-pong',
  'mailbox.ask-1-in-flight',
  'threads.tell',
  'threads.ask-256-in-flight',
  'threads.ask-1-in-flight',
  'journal.commands-1000-in-flight',
  'journal.command-1-in-flight',
  'recovery.one-aggregate',
];

// From dist/bench/ to the sources.
const folder = fileURLToPath(new URL('../../bench/results/', import.meta.url));
const newest = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .sort()
  .at(-1);
if (newest === undefined) throw new Error('bench/results/ holds no run; make one with npm run bench -- --json FILE');
writeFileSync(`${folder}chart.svg`, chartSvg(readRecord(`${folder}${newest}`), SHOWN));
console.log(`bench/results/chart.svg is made of ${newest}`);
