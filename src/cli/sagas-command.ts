/**
 * `troupe sagas`: where each saga is, what it waits for and since when, its steps as a timeline; and what becomes of it.
 *
 * "Why is it stuck" is one command. Looking reads beside a running system and needs no code. `retry` needs the cast,
 * because compensations are code; `cancel` writes a request that the next start of the system obeys.
 */
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { type JournalReader, openJournal } from '../journal/open-journal.js';
import {
  type EndedHead,
  entriesIn,
  rowsOf,
  SAGA,
  SAGA_CANCEL,
  SAGA_ENDED,
  SAGA_HISTORY,
  type SagaHead,
} from '../sagas/saga-records.js';
import { EXIT } from '../scenario/scenario-host.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';
import { ActorSystem } from '../system/actor-system.js';
import { DEAD_LETTER, readLetter } from '../system/dead-letter-record.js';
import { castUrl, withReader } from './journal-file.js';
import { compact, printable, timeText } from './output.js';
import {
  endedSummary,
  livingSummary,
  type SagaStory,
  type SagaSummary,
  type StoryStep,
  storyOf,
} from './saga-story.js';
import { Table } from './table.js';
import { CAST_OPTION, integerOf, listOf, tool, type ToolCall } from './tool.js';

const STATES = ['running', 'waiting', 'sleeping', 'compensating', 'parked', 'done', 'failed', 'cancelled'] as const;

const OPTIONS = {
  ...CAST_OPTION,
  name: { type: 'string', placeholder: 'NAME', description: 'list only sagas of this definition' },
  state: { type: 'string', placeholder: 'STATE,…', description: `list only these: ${STATES.join(', ')}` },
  limit: { type: 'number', placeholder: 'N', description: 'list at most so many of each state; default 20' },
  reason: { type: 'string', placeholder: 'TEXT', description: 'why it is cancelled' },
} as const;

type Call = ToolCall<typeof OPTIONS>;

/** Sagas listed of each state, unless it is said how many. */
const LISTED = 20;
/** Records per read. */
const PAGE = 1_000;

export const sagasCommand = tool({
  name: 'sagas',
  summary: 'list sagas and what they wait for, show the steps of one, retry or cancel it',
  about: [
    'list and show work while a system runs, and need no code. ID is name/id of a saga, or the id alone where that is clear.',
    'retry starts the system of --cast on one thread, which also goes on with whatever else was waiting, and tries the ' +
      'parked compensations (or the diverged replay) again. cancel is obeyed at the next start of the system. Both need ' +
      'the lock of a running system: stop it first, or call system.deadLetters.retry(…) or ref.cancel(…) in it.',
  ],
  actions: [
    { name: 'list', summary: 'how many there are in each state, and which; those that need a look first' },
    { name: 'show', words: ['ID'], summary: 'where it is and why, and its steps as a timeline' },
    { name: 'retry', words: ['ID'], summary: 'try again what is parked; needs --cast' },
    { name: 'cancel', words: ['ID'], summary: 'have it stopped and compensated' },
  ],
  options: OPTIONS,
  examples: [
    ['sagas shop.db', 'where they all are'],
    ['sagas shop.db --state parked,compensating', 'those that something is wrong with'],
    ['sagas show shop.db fulfil-order/42', 'why one is stuck'],
    ['sagas cancel shop.db fulfil-order/42 --reason "the customer called"', 'at the next start'],
  ],
  exits: { ok: 'done', failed: 'there is no such saga, or the retry failed again' },
  async run(call) {
    if (call.action === 'list') return withReader(call.journal, (reader) => list(call, reader));
    const found = await withReader(call.journal, (reader) => find(call, reader));
    if (found === undefined) return EXIT.failed;
    try {
      if (call.action === 'show') return show(call, found);
      return call.action === 'retry' ? await retry(call, found) : await cancel(call, found);
    } catch (error) {
      if (!isTroupeError(error, 'TROUPE_JOURNAL_LOCKED')) throw error;
      const { name, id } = found.summary;
      const instead = call.action === 'retry' ? 'system.deadLetters.retry(…)' : `ref(${name}, '${id}').cancel(…)`;
      throw new TroupeError(
        'TROUPE_JOURNAL_LOCKED',
        `${call.journal} is in use by a running system; stop that system first, or call ${instead} in it`,
        { cause: error },
      );
    }
  },
});

/** A dead letter, and why it is one. */
interface Letter {
  readonly id: string;
  readonly error: string | undefined;
}

/** One saga, found. */
interface Found {
  readonly summary: SagaSummary;
  readonly story: SagaStory;
  /** Dead letters that are about it. */
  readonly letters: readonly Letter[];
}

async function list({ out, problems, json, values }: Call, reader: JournalReader): Promise<number> {
  const states = listOf(values.state, 'state');
  for (const state of states ?? []) {
    if (!STATES.some((known) => known === state)) {
      throw new ScenarioInputError(`--state ${state}: give some of ${STATES.join(', ')}`);
    }
  }
  const limit = integerOf(values.limit, 'limit', 1) ?? LISTED;
  const counts = new Map<string, number>();
  const listed = new Map<string, SagaSummary[]>();
  const add = (summary: SagaSummary): void => {
    if (values.name !== undefined && summary.name !== values.name) return;
    counts.set(summary.state, (counts.get(summary.state) ?? 0) + 1);
    if (states !== undefined && !states.includes(summary.state)) return;
    const some = listed.get(summary.state) ?? [];
    listed.set(summary.state, some);
    some.push(summary);
    // Of those that have ended the last ones, of the others those that have stood still for longest.
    const ended = hasEnded(summary.state);
    if (some.length >= 2 * limit) listed.set(summary.state, inOrder(some, ended).slice(0, limit));
  };
  const letters = await lettersOf(reader);
  for await (const { key, value } of records(reader, SAGA)) add(await living(reader, key, value as SagaHead, letters));
  for await (const { key, value } of records(reader, SAGA_ENDED)) add(endedSummary(key, value as EndedHead));
  const all = STATES.flatMap((state) => {
    const ended = hasEnded(state);
    return inOrder(listed.get(state) ?? [], ended).slice(0, limit);
  });
  const needALook = (state: string): number => (state === 'parked' ? 0 : state === 'compensating' ? 1 : 2);
  all.sort((a, b) => needALook(a.state) - needALook(b.state));
  if (json) {
    out.json({ counts: Object.fromEntries(counts), sagas: all });
    return EXIT.ok;
  }
  if (counts.size === 0) problems.line('there are no sagas');
  else
    out.line(
      STATES.filter((state) => counts.has(state))
        .map((state) => `${counts.get(state) ?? 0} ${state}`)
        .join(', '),
    );
  const table = new Table(out, [
    { title: 'saga' },
    { title: 'state' },
    { title: 'since (UTC)' },
    { title: 'waits for' },
    { title: 'error' },
  ]);
  table.print(
    all.map(({ name, id, state, since, waitingFor, error }) => [
      `${name}/${id}`,
      state,
      timeText(since),
      waitingFor ?? '',
      error?.message ?? '',
    ]),
  );
  return EXIT.ok;
}

function hasEnded(state: (typeof STATES)[number]): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

function inOrder(sagas: readonly SagaSummary[], newestFirst: boolean): SagaSummary[] {
  return sagas.toSorted((a, b) => (newestFirst ? b.since - a.since : a.since - b.since));
}

async function* records(
  reader: JournalReader,
  kind: string,
): AsyncGenerator<{ readonly key: string; readonly value: unknown }> {
  for (let after = ''; ; ) {
    const page = await reader.readRecords(kind, { after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.key;
  }
}

/** The dead letters of sagas, by the key of the saga. */
async function lettersOf(reader: JournalReader): Promise<ReadonlyMap<string, readonly Letter[]>> {
  const all = new Map<string, Letter[]>();
  for await (const { key, value } of records(reader, DEAD_LETTER)) {
    const { letter } = readLetter(key, value);
    if (letter.reason !== 'parked') continue;
    const saga = `${letter.target.name}/${letter.target.id}`;
    all.set(saga, [...(all.get(saga) ?? []), { id: key, error: letter.error?.message }]);
  }
  return all;
}

async function living(
  reader: JournalReader,
  key: string,
  head: SagaHead,
  letters: ReadonlyMap<string, readonly Letter[]>,
): Promise<SagaSummary> {
  const story = head.idle === undefined ? await storyOfRun(reader, head.run) : { steps: [], turns: [] };
  return livingSummary(key, head, story, letters.has(key));
}

async function storyOfRun(reader: JournalReader, run: string): Promise<SagaStory> {
  return storyOf(entriesIn(await reader.readRecords(SAGA_HISTORY, rowsOf(run))));
}

/** The saga of this key, or the only one with this id. */
async function find({ problems, words, journal }: Call, reader: JournalReader): Promise<Found | undefined> {
  const [word = ''] = words;
  const keys = word.includes('/') ? [word] : await keysWithId(reader, word);
  if (keys.length > 1) {
    throw new ScenarioInputError(`several sagas have the id ${word}: ${keys.slice(0, 5).join(', ')}; name one of them`);
  }
  const [key = word] = keys;
  const letters = await lettersOf(reader);
  const of = letters.get(key) ?? [];
  const head = await recordOf(reader, SAGA, key);
  if (head !== undefined) {
    // Only saga-records.ts writes this kind.
    const { run } = head as SagaHead;
    const story = await storyOfRun(reader, run);
    return { summary: livingSummary(key, head as SagaHead, story, of.length > 0), story, letters: of };
  }
  const end = await recordOf(reader, SAGA_ENDED, key);
  if (end !== undefined) {
    const story = await storyOfRun(reader, (end as EndedHead).run);
    return { summary: endedSummary(key, end as EndedHead), story, letters: of };
  }
  problems.line(`there is no saga ${printable(word)} in ${journal}; see troupe sagas ${journal}`);
  return undefined;
}

async function keysWithId(reader: JournalReader, id: string): Promise<string[]> {
  const keys: string[] = [];
  for (const kind of [SAGA, SAGA_ENDED]) {
    for await (const { key } of records(reader, kind)) if (key.endsWith(`/${id}`)) keys.push(key);
  }
  return keys;
}

async function recordOf(reader: JournalReader, kind: string, key: string): Promise<unknown> {
  // The range excludes its ends; nothing lies between a key and itself with one character more.
  const found = await reader.readRecords(kind, { after: key.slice(0, -1), before: `${key}\0`, limit: PAGE });
  return found.find((record) => record.key === key)?.value;
}

function show({ out, json }: Call, { summary, story, letters }: Found): number {
  if (json) {
    out.json({ ...summary, ...story, deadLetters: letters.map(({ id }) => id) });
    return EXIT.ok;
  }
  const { palette } = out;
  const { name, id, state, since, startedAt, waitingFor, error } = summary;
  const facts: readonly (readonly [name: string, text: string | undefined])[] = [
    ['saga', `${name}/${id}`],
    ['state', state],
    ['since', `${timeText(since)} UTC`],
    ['started', `${timeText(startedAt)} UTC`],
    ['waits for', waitingFor],
    ['error', error === undefined ? undefined : [error.code, error.message].filter(Boolean).join(': ')],
    ...letters.map((letter) => ['letter', [letter.id, letter.error].filter(Boolean).join(': ')] as const),
    ['steps', hasEnded(state) && story.steps.length === 0 ? 'none, or kept no longer (the option keep)' : undefined],
  ];
  for (const [title, text] of facts) {
    if (text !== undefined) out.line(`${palette.dim(title.padEnd(10))}${printable(text)}`);
  }
  out.line();
  const table = new Table(out, [
    { title: 'after', align: 'right' },
    { title: 'took', align: 'right' },
    { title: 'of' },
    { title: 'step' },
    { title: 'outcome' },
  ]);
  const lines = [
    ...story.steps.map((step) => ({ at: step.at, cells: stepCells(step, startedAt) })),
    ...story.turns.map(({ at, what }) => ({ at, cells: [tookText(at - startedAt), '', '', what, ''] })),
  ];
  // Sorting is stable: what happened in one millisecond stays in the order written.
  lines.sort((a, b) => a.at - b.at);
  table.print(lines.map(({ cells }) => cells));
  return EXIT.ok;
}

function stepCells({ step, at, ms, of, state, value, error, due, event }: StoryStep, startedAt: number): string[] {
  const outcome = (): string => {
    if (error !== undefined) return [error.code, error.message].filter(Boolean).join(': ');
    if (state === 'open') return due === undefined ? 'under way' : `until ${timeText(due)}`;
    if (state === 'told') return 'handled';
    return event === undefined ? compact(value) : `event at position ${event}`;
  };
  return [
    tookText(at - startedAt),
    ms === undefined ? '' : tookText(ms),
    of === undefined ? 'run' : `compensation ${of}`,
    step,
    outcome(),
  ];
}

/** Milliseconds as people read them. */
function tookText(ms: number): string {
  if (ms < 10_000) return `${Math.round(ms)} ms`;
  if (ms < 600_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 36_000_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

async function retry({ out, problems, json, values, journal }: Call, { summary, letters }: Found): Promise<number> {
  const key = `${summary.name}/${summary.id}`;
  if (letters.length === 0) {
    problems.line(`nothing of ${printable(key)} is parked; it is ${summary.state}`);
    return EXIT.failed;
  }
  const cast = await castUrl(values.cast, 'a retry');
  const system = await ActorSystem.start({ name: 'troupe sagas', cast, workers: 0, journal });
  let left: string[];
  try {
    for (const { id } of letters) await system.deadLetters.retry(id);
    await system.settled();
    left = system.deadLetters.list().flatMap(({ id }) => (letters.some((letter) => letter.id === id) ? [id] : []));
  } finally {
    await system.stop();
  }
  const ok = left.length === 0;
  if (json) out.json({ saga: key, ok, deadLetters: left });
  else if (ok) out.line(`${printable(key)} goes on`);
  else problems.line(`${printable(key)} failed again: ${left.map(printable).join(', ')}`);
  return ok ? EXIT.ok : EXIT.failed;
}

async function cancel({ out, problems, json, values, journal }: Call, { summary }: Found): Promise<number> {
  const key = `${summary.name}/${summary.id}`;
  if (summary.state === 'done' || summary.state === 'failed' || summary.state === 'cancelled') {
    problems.line(`${printable(key)} has ended (${summary.state}), so there is nothing to cancel`);
    return EXIT.failed;
  }
  const opened = await openJournal({ path: journal });
  try {
    await opened.writeRecords([{ kind: SAGA_CANCEL, key, value: { reason: values.reason ?? 'cancelled by hand' } }]);
  } finally {
    await opened.close();
  }
  if (json) out.json({ saga: key, ok: true });
  else out.line(`${printable(key)} will be cancelled and compensated at the next start of its system`);
  return EXIT.ok;
}
