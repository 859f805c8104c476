/**
 * `troupe log JOURNAL`: the events, filtered; with `-f` also those to come.
 *
 * Reads page by page and prints as it reads, so that a journal of any size takes one page of memory. Beside a running
 * system it needs no lock; `-f` looks for the head a few times a second.
 */
import { systemClock } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { JournalReader } from '../journal/open-journal.js';
import { EXIT, Interruption } from '../scenario/scenario-host.js';
import { withReader } from './journal-file.js';
import { parseMoment } from './moment.js';
import { compact, timeText } from './output.js';
import { Table } from './table.js';
import { integerOf, listOf, tool, type ToolCall } from './tool.js';

/** Milliseconds between two looks at the head. */
const FOLLOW_EVERY_MS = 200;

const OPTIONS = {
  aggregate: { type: 'string', placeholder: 'NAME', description: 'only events of this aggregate' },
  id: { type: 'string', placeholder: 'ID', description: 'only events of the instance with this id' },
  type: { type: 'string', placeholder: 'TYPE,…', description: 'only events of these types' },
  correlation: { type: 'string', placeholder: 'ID', description: 'only what followed from one command or message' },
  since: { type: 'string', placeholder: 'TIME', description: 'only events recorded at this time or later' },
  until: { type: 'string', placeholder: 'TIME', description: 'only events recorded at this time or earlier' },
  after: { type: 'number', placeholder: 'POSITION', description: 'only events behind this position' },
  limit: { type: 'number', placeholder: 'N', description: 'at most so many events' },
  tail: { type: 'number', placeholder: 'N', description: 'only the last N positions' },
  follow: { type: 'boolean', short: 'f', description: 'go on with the events to come, until Ctrl-C' },
} as const;

type Call = ToolCall<typeof OPTIONS>;

export const logCommand = tool({
  name: 'log',
  summary: 'list the events of a journal, and follow it while a system runs',
  about: [
    'TIME is a date such as 2011-12-05 or 2011-12-05T10:15Z (UTC unless it names a zone), epoch milliseconds, or how ' +
      'long ago: 10m, 2h, 1d. With --json each event is a line of JSON, with all its fields.',
  ],
  options: OPTIONS,
  examples: [
    ['log shop.db --aggregate order --id 42', 'the life of one order'],
    ['log shop.db --correlation import-7 --json', 'everything that followed from one command, for a program'],
    ['log shop.db --tail 10 -f', 'the last ten events, and those to come'],
  ],
  exits: { ok: 'listed, also when no event matches', failed: 'an event of the journal cannot be read' },
  run: (call) => withReader(call.journal, (reader) => listEvents(reader, call)),
});

/** What makes an event one of those wanted, beside what the journal looks for. */
interface Filter {
  readonly correlation: string | undefined;
  readonly since: number;
  readonly until: number;
}

async function listEvents(reader: JournalReader, call: Call): Promise<number> {
  const { values, host, out, problems } = call;
  const now = host.clock.now();
  const filter: Filter = {
    correlation: values.correlation,
    since: values.since === undefined ? -Infinity : parseMoment(values.since, 'since', now),
    until: values.until === undefined ? Infinity : parseMoment(values.until, 'until', now),
  };
  const types = listOf(values.type, 'type');
  const limit = integerOf(values.limit, 'limit', 1) ?? Infinity;
  const tail = integerOf(values.tail, 'tail', 0);
  const head = await reader.head();
  let position = Math.max(
    integerOf(values.after, 'after', 0) ?? 0,
    tail === undefined ? 0 : head - tail,
    filter.since === -Infinity ? 0 : await lastBefore(reader, filter.since, head),
  );
  if (head === 0 && !values.follow) problems.line('the journal has no events yet');

  const printer = new EventPrinter(call);
  let to = head;
  let isPast = false;
  const isDone = (): boolean => isPast || printer.printed >= limit || out.closed || host.ending.aborted;
  for (;;) {
    while (position < to && !isDone()) {
      const { aggregate, id } = values;
      const page = await reader.read({ after: position, limit: LIMITS.readPage, types, aggregate, id });
      position = page.searchedTo;
      const wanted = page.events.filter((event) => matches(event, filter));
      printer.print(wanted.slice(0, limit - printer.printed));
      isPast = page.events.some((event) => event.recordedAt > filter.until);
      await out.drained();
    }
    if (!values.follow || isDone()) break;
    to = await nextHead(reader, to, call);
  }
  if (head > 0 && printer.printed === 0 && !values.follow) problems.line('no event matches');
  const reason: unknown = host.ending.reason;
  return reason instanceof Interruption ? EXIT[reason.signal] : EXIT.ok;
}

function matches(event: RecordedEvent, { correlation, since, until }: Filter): boolean {
  if (event.recordedAt < since || event.recordedAt > until) return false;
  return correlation === undefined || event.correlationId === correlation;
}

/** Position of the last event recorded before a moment: times never decrease with the position, so it can be halved in on. */
async function lastBefore(reader: JournalReader, moment: number, head: number): Promise<number> {
  let low = 0;
  let high = head;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { events } = await reader.read({ after: middle, limit: 1 });
    const [event] = events;
    if (event === undefined || event.recordedAt >= moment) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The head once it has moved on, or the old one when nobody wants to hear of it any more. */
async function nextHead(reader: JournalReader, head: number, { out, host }: Call): Promise<number> {
  while (!out.closed && !host.ending.aborted) {
    const now = await reader.head();
    if (now > head) return now;
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(FOLLOW_EVERY_MS, done);
      host.ending.addEventListener('abort', done, { once: true });
      function done(): void {
        timer.cancel();
        host.ending.removeEventListener('abort', done);
        resolve();
      }
    });
  }
  return head;
}

/** Prints events as rows of a table, or as lines of JSON. */
class EventPrinter {
  printed = 0;
  readonly #call: Call;
  readonly #table: Table;

  constructor(call: Call) {
    this.#call = call;
    this.#table = new Table(call.out, [
      { title: 'position', align: 'right' },
      { title: 'recorded (UTC)' },
      { title: 'aggregate/id@version' },
      { title: 'type' },
      { title: 'data' },
    ]);
  }

  print(events: readonly RecordedEvent[]): void {
    this.printed += events.length;
    if (this.#call.json) {
      for (const event of events) this.#call.out.json(event);
      return;
    }
    this.#table.print(
      events.map(({ position, recordedAt, aggregate, aggregateId, version, type, data }) => [
        position,
        timeText(recordedAt),
        `${aggregate}/${aggregateId}@${version}`,
        type,
        compact(data),
      ]),
    );
  }
}
