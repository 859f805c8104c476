/**
 * `troupe dead-letters`: what could not be delivered or handled, and what becomes of it.
 *
 * Listing reads beside a running system. Retrying needs one, so this starts the system of the cast on one thread;
 * discarding is a write. Both therefore need the lock that a running system holds.
 */
import type { DeadLetter } from '../core/dead-letter.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { openJournal } from '../journal/open-journal.js';
import { EXIT } from '../scenario/scenario-host.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';
import { ActorSystem } from '../system/actor-system.js';
import { DEAD_LETTER, letterErasure, readLetter, type KeptLetter } from '../system/dead-letter-record.js';
import { castUrl, withReader } from './journal-file.js';
import { compact, printable, timeText } from './output.js';
import { Table } from './table.js';
import { CAST_OPTION, tool, type ToolCall } from './tool.js';

const OPTIONS = {
  ...CAST_OPTION,
  reason: { type: 'string', placeholder: 'REASON', description: 'list only those with this reason, such as parked' },
} as const;

type Call = ToolCall<typeof OPTIONS>;

export const deadLettersCommand = tool({
  name: 'dead-letters',
  summary: 'list, show, retry or discard what could not be delivered or handled',
  about: [
    'list and show work while a system runs. retry and discard need its lock: stop it first, or call ' +
      'system.deadLetters.retry(id) or discard(id) in it.',
    'retry starts the system of --cast on one thread, which also goes on with whatever else was waiting, and stops it ' +
      'when the letter has its outcome. discard of a parked event lets later events of its key go on at the next start. ' +
      'Ids may be cut short where that is clear, and need quotes, because they hold a >.',
  ],
  actions: [
    { name: 'list', summary: 'what there is, oldest first' },
    { name: 'show', words: ['ID'], summary: 'one letter, with its payload and error' },
    { name: 'retry', words: ['ID'], summary: 'send or handle it again; needs --cast' },
    { name: 'discard', words: ['ID'], summary: 'give it up' },
  ],
  options: OPTIONS,
  examples: [
    ['dead-letters shop.db', 'what there is'],
    ["dead-letters show shop.db 'parked>deliver>17' --json", 'one of them, for a program'],
    ["dead-letters retry shop.db 'parked>deliver>17' --cast dist/actors/index.js", 'once its cause is mended'],
  ],
  exits: { ok: 'done', failed: 'there is no such letter, or the retry failed again' },
  async run(call) {
    const letters = await withReader(call.journal, async (reader) => {
      const records = await reader.readRecords(DEAD_LETTER);
      const read = records.map(({ key, value }) => readLetter(key, value));
      return read.sort((a, b) => a.letter.at - b.letter.at);
    });
    if (call.action === 'list') return list(call, letters);
    const kept = find(call, letters);
    if (kept === undefined) return EXIT.failed;
    if (call.action === 'show') return show(call, kept);
    try {
      return call.action === 'retry' ? await retry(call, kept.letter) : await discard(call, kept.letter);
    } catch (error) {
      if (!isTroupeError(error, 'TROUPE_JOURNAL_LOCKED')) throw error;
      throw new TroupeError(
        'TROUPE_JOURNAL_LOCKED',
        `${call.journal} is in use by a running system; stop that system first, or call ` +
          `system.deadLetters.${call.action}('${kept.letter.id}') in it`,
        { cause: error },
      );
    }
  },
});

function list({ out, problems, json, values }: Call, letters: readonly KeptLetter[]): number {
  const wanted = letters.map(({ letter }) => letter).filter(({ reason }) => reason === (values.reason ?? reason));
  if (json) {
    out.json(wanted);
    return EXIT.ok;
  }
  if (wanted.length === 0) problems.line('there are no dead letters');
  const table = new Table(out, [
    { title: 'at (UTC)' },
    { title: 'reason' },
    { title: 'target' },
    { title: 'type' },
    { title: 'id' },
    { title: 'error' },
  ]);
  table.print(
    wanted.map(({ id, at, reason, target, type, error }) => [
      timeText(at),
      reason,
      `${target.name}/${target.id}`,
      type,
      id,
      error?.message ?? '',
    ]),
  );
  return EXIT.ok;
}

/** The letter with this id, or the only one whose id begins so. */
function find({ problems, words, journal }: Call, letters: readonly KeptLetter[]): KeptLetter | undefined {
  const [id = ''] = words;
  const exact = letters.find(({ letter }) => letter.id === id);
  if (exact !== undefined) return exact;
  const some = letters.filter(({ letter }) => letter.id.startsWith(id));
  if (some.length > 1) {
    throw new ScenarioInputError(
      `${some.length} dead letters have an id that begins with ${id}: ${some
        .slice(0, 5)
        .map(({ letter }) => letter.id)
        .join(', ')}`,
    );
  }
  if (some[0] === undefined)
    problems.line(`there is no dead letter ${printable(id)} in ${journal}; see troupe dead-letters ${journal}`);
  return some[0];
}

function show({ out, json }: Call, { letter, trace, payloadKept }: KeptLetter): number {
  if (json) {
    out.json({ ...letter, trace, payloadKept });
    return EXIT.ok;
  }
  const { palette } = out;
  const { id, reason, target, type, payload, error, at, position } = letter;
  const facts: readonly (readonly [name: string, text: string | undefined])[] = [
    ['id', id],
    ['reason', reason],
    ['at', `${timeText(at)} UTC`],
    ['target', `${target.name}/${target.id}`],
    ['type', type],
    ['position', position?.toString()],
    ['error', error === null ? undefined : `${error.code}: ${error.message}`],
    ['cause', error?.cause],
    ['command', trace.commandId],
    ['correlation', trace.correlationId],
    ['causation', trace.causationId ?? undefined],
    ['metadata', trace.metadata === undefined ? undefined : compact(trace.metadata)],
  ];
  for (const [name, text] of facts) {
    if (text !== undefined) out.line(`${palette.dim(name.padEnd(12))}${printable(text)}`);
  }
  out.line(palette.dim(payloadKept ? 'payload' : 'payload (a description: it was no JSON)'));
  for (const line of JSON.stringify(payload ?? null, undefined, 2).split('\n')) out.line(`  ${printable(line)}`);
  return EXIT.ok;
}

async function retry({ out, problems, json, values, journal }: Call, { id }: DeadLetter): Promise<number> {
  const cast = await castUrl(values.cast, 'a retry');
  const system = await ActorSystem.start({ name: 'troupe dead-letters', cast, workers: 0, journal });
  let left: DeadLetter | undefined;
  try {
    await system.deadLetters.retry(id);
    left = system.deadLetters.list().find((letter) => letter.id === id);
  } finally {
    await system.stop();
  }
  if (json) out.json({ id, ok: left === undefined, error: left?.error ?? null });
  else if (left === undefined) out.line(`${printable(id)} is done`);
  else problems.line(`${printable(id)} failed again (${left.reason}): ${printable(left.error?.message ?? '')}`);
  return left === undefined ? EXIT.ok : EXIT.failed;
}

async function discard({ out, json, journal }: Call, { id, reason, position }: DeadLetter): Promise<number> {
  const opened = await openJournal({ path: journal });
  try {
    // A held key whose letter is gone goes on at the next start (reaction-recovery.ts), a saga does without it (saga-letters.ts).
    await opened.writeRecords([letterErasure(id)]);
  } finally {
    await opened.close();
  }
  if (json) out.json({ id, ok: true });
  else
    out.line(`${printable(id)} is discarded${reason === 'parked' ? `; ${follows(position)} at the next start` : ''}`);
  return EXIT.ok;
}

/** What of the system was held up by a parked letter: events have a position, sagas none. */
function follows(position: number | undefined): string {
  return position === undefined ? 'its saga goes on' : 'later events of its key go on';
}
