/**
 * `troupe state JOURNAL AGGREGATE ID`: the state of an aggregate, now, at a version or at a time, and what changed.
 *
 * A fold of the stored events by the code given as `--cast`: the same functions as in recovery, without snapshots.
 */
import type { RuntimeAggregate } from '../actors/aggregate-definition.js';
import { replay } from '../actors/replay.js';
import { suggestion } from '../core/did-you-mean.js';
import { LIMITS } from '../core/limits.js';
import { withOwnData } from '../core/recorded-event.js';
import type { JournalReader } from '../journal/open-journal.js';
import { EXIT } from '../scenario/scenario-host.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';
import { castFrom, withReader } from './journal-file.js';
import { changesBetween } from './json-changes.js';
import { parseMoment } from './moment.js';
import { compact, printable, timeText } from './output.js';
import { CAST_OPTION, integerOf, tool, type ToolCall } from './tool.js';

const OPTIONS = {
  ...CAST_OPTION,
  atVersion: { type: 'number', placeholder: 'N', description: 'after its N-th event' },
  atTime: { type: 'string', placeholder: 'TIME', description: 'as it was at a time, events of that moment included' },
  diff: { type: 'boolean', description: 'what changed since that moment; without one, what its last event changed' },
} as const;

type Call = ToolCall<typeof OPTIONS>;

export const stateCommand = tool({
  name: 'state',
  summary: 'show the state of an aggregate, now or in the past, and what has changed',
  about: [
    'The events are folded by your own code, which --cast names. TIME is a date such as 2011-12-05 or ' +
      '2011-12-05T10:15Z (UTC unless it names a zone), epoch milliseconds, or how long ago: 10m, 2h, 1d.',
  ],
  words: ['AGGREGATE', 'ID'],
  options: OPTIONS,
  examples: [
    ['state shop.db order 42 --cast dist/actors/index.js', 'order 42 now'],
    [
      'state shop.db order 42 --cast dist/actors/index.js --at-version 1 --diff',
      'what has changed since its first event',
    ],
    ['state shop.db order 42 --cast dist/actors/index.js --at-time 2h --json', 'order 42 two hours ago, for a program'],
  ],
  exits: { ok: 'shown', failed: 'there are no such events, or this code can not read them' },
  async run(call) {
    const [name = '', id = ''] = call.words;
    const { values, host } = call;
    const atVersion = integerOf(values.atVersion, 'atVersion', 0);
    if (atVersion !== undefined && values.atTime !== undefined) {
      throw new ScenarioInputError('give --at-version or --at-time, not both');
    }
    const atTime = values.atTime === undefined ? undefined : parseMoment(values.atTime, 'at-time', host.clock.now());
    const { aggregates } = await castFrom(values.cast, 'the fold');
    const definition = aggregates.find((one) => one.name === name);
    if (definition === undefined) {
      const names = aggregates.map((one) => one.name);
      throw new ScenarioInputError(
        `${name} is no aggregate of ${values.cast ?? ''}${suggestion(name, names) || `; it has ${names.join(', ')}`}`,
      );
    }
    return withReader(call.journal, (reader) =>
      show(call, new PastStates(reader, definition, id), { atVersion, atTime }),
    );
  },
});

/** A moment; without both it is now. */
interface Moment {
  readonly atVersion?: number | undefined;
  readonly atTime?: number | undefined;
}

/** A state, and the event that it follows; version 0 is the state before the first one. */
interface PastState {
  readonly version: number;
  readonly position: number;
  readonly recordedAt: number | null;
  readonly state: unknown;
}

class PastStates {
  readonly aggregate: string;
  readonly id: string;
  readonly #reader: JournalReader;
  readonly #definition: RuntimeAggregate;

  constructor(reader: JournalReader, definition: RuntimeAggregate, id: string) {
    this.aggregate = definition.name;
    this.id = id;
    this.#reader = reader;
    this.#definition = definition;
  }

  async at({ atVersion = Infinity, atTime = Infinity }: Moment): Promise<PastState> {
    const { aggregate, id } = this;
    let past: PastState = {
      version: 0,
      position: 0,
      recordedAt: null,
      state: this.#definition.options.initialState(id),
    };
    const head = await this.#reader.head();
    for (let searched = 0; searched < head; ) {
      const page = await this.#reader.read({ after: searched, limit: LIMITS.readPage, aggregate, id });
      searched = page.searchedTo;
      for (const event of page.events) {
        if (event.version > atVersion || event.recordedAt > atTime) return past;
        const state = replay(this.#definition, past.state, withOwnData(event));
        past = { version: event.version, position: event.position, recordedAt: event.recordedAt, state };
      }
    }
    return past;
  }
}

async function show(call: Call, states: PastStates, moment: Moment): Promise<number> {
  const { out, problems, json, values, journal } = call;
  const { aggregate, id } = states;
  const now = await states.at({});
  if (now.version === 0) {
    problems.line(
      `${printable(`${aggregate}/${id}`)} has no events in ${journal}; troupe log ${journal} --aggregate ${aggregate} lists those that have`,
    );
    return EXIT.failed;
  }
  const isNow = moment.atVersion === undefined && moment.atTime === undefined;
  if (!values.diff) {
    const then = isNow ? now : await states.at(moment);
    if (json) out.json({ aggregate, id, ...then });
    else {
      out.line(titleOf(call, states, then));
      for (const line of JSON.stringify(then.state, undefined, 2).split('\n')) out.line(printable(line));
    }
    return EXIT.ok;
  }
  // A fold may change the state in place, so each state is folded for itself.
  const from = await states.at(isNow ? { atVersion: now.version - 1 } : moment);
  const before = JSON.stringify(from.state);
  const changes = changesBetween(JSON.parse(before), JSON.parse(JSON.stringify(now.state)));
  if (json) {
    out.json({ aggregate, id, from, to: now, changes });
    return EXIT.ok;
  }
  out.line(titleOf(call, states, from));
  out.line(titleOf(call, states, now));
  if (changes.length === 0) out.line('nothing has changed');
  for (const { path, before: old, after } of changes) {
    const name = printable(path === '' ? 'the state' : path);
    out.line(`${out.palette.bold(name)}: ${out.palette.bad(textOf(old))} → ${out.palette.good(textOf(after))}`);
  }
  return EXIT.ok;
}

function textOf(value: unknown): string {
  return value === undefined ? 'not there' : compact(value);
}

function titleOf({ out }: Call, { aggregate, id }: PastStates, { version, position, recordedAt }: PastState): string {
  const name = out.palette.bold(printable(`${aggregate}/${id}@${version}`));
  if (recordedAt === null) return `${name}, before its first event`;
  return `${name}, position ${position}, ${timeText(recordedAt)} UTC`;
}
