/**
 * `troupe views`: the read models beside a journal: how far they are, whether they are right, and building them anew.
 *
 * Listing and comparing read beside a running system. Building anew writes, and so needs the lock that a running
 * system holds.
 */
import { access } from 'node:fs/promises';
import type { Subscription } from 'rxjs';
import { presentBy } from '../actors/present-event.js';
import { systemClock } from '../core/clock.js';
import { suggestion } from '../core/did-you-mean.js';
import type { Logger } from '../core/logger.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { openJournal } from '../journal/open-journal.js';
import type { BuildProgress } from '../projections/build-progress.js';
import { type BuildComparison, compareBuild } from '../projections/compare-build.js';
import type { RuntimeProjection } from '../projections/projection-definition.js';
import { Projections } from '../projections/projections.js';
import type { View } from '../projections/view.js';
import { surveyViews, type ViewsSurvey } from '../projections/views-survey.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';
import { EXIT } from '../scenario/scenario-host.js';
import { EventWindow } from '../streams/event-window.js';
import type { Cast } from '../system/cast.js';
import { castFrom, withReader } from './journal-file.js';
import { compact, printable } from './output.js';
import { Table } from './table.js';
import { CAST_OPTION, integerOf, listOf, tool, type ToolCall } from './tool.js';

const OPTIONS = {
  ...CAST_OPTION,
  only: { type: 'string', placeholder: 'NAME,…', description: 'only these projections' },
  show: { type: 'number', placeholder: 'N', default: 10, description: 'with compare: rows shown of those that differ' },
} as const;

type Call = ToolCall<typeof OPTIONS>;

export const viewsCommand = tool({
  name: 'views',
  summary: 'list, compare or rebuild the read models of a journal',
  about: [
    'list and compare work while a system runs. rebuild needs its lock: stop it first, or call ' +
      'system.view(projection).rebuild() in it, which goes on answering meanwhile.',
    'compare folds the log afresh with the definitions of --cast, up to the checkpoint of each table, and says which ' +
      'rows differ: with the same code none may; with changed code it shows what the change will do. What a changed ' +
      'definition has built before is compared by the columns that both have.',
  ],
  actions: [
    { name: 'list', summary: 'what there is: version, position, lag, rows, size, and what stopped it' },
    { name: 'compare', summary: 'the rows against a fresh fold of the log, row for row; needs --cast' },
    { name: 'rebuild', summary: 'builds them anew from the first event; needs --cast' },
  ],
  options: OPTIONS,
  examples: [
    ['views shop.db', 'how far each read model is'],
    ['views compare shop.db --cast dist/actors/index.js', 'whether the rows are what the log says'],
    ['views rebuild shop.db --cast dist/actors/index.js --only sales-by-day', 'one of them anew'],
  ],
  exits: {
    ok: 'done; every row is as a fresh fold has it',
    failed: 'rows differ, or a read model has stopped at an event',
  },
  async run(call) {
    switch (call.action) {
      case 'compare':
        return compare(call);
      case 'rebuild':
        return rebuild(call);
      default:
        return list(call);
    }
  },
});

async function list(call: Call): Promise<number> {
  const { out, problems, json, values, journal } = call;
  const { identity, head } = await withReader(journal, async (reader) => ({
    identity: reader.identity,
    head: await reader.head(),
  }));
  const survey = await surveyOf(journal);
  const wanted = listOf(values.only, 'only');
  const tables = (survey?.tables ?? [])
    .filter(({ name }) => wanted === undefined || wanted.includes(name))
    .map((table) => ({ ...table, lag: Math.max(0, head - table.position) }));
  if (survey !== undefined && survey.identity !== identity)
    problems.line(`${journal}.views belongs to another journal; it is built anew at the next start`);
  if (json) out.json(tables);
  else if (tables.length === 0) problems.line('there are no read models yet');
  else {
    const table = new Table(out, [
      { title: 'name' },
      { title: 'version', align: 'right' },
      { title: 'state' },
      { title: 'position', align: 'right' },
      { title: 'lag', align: 'right' },
      { title: 'rows', align: 'right' },
      { title: 'size', align: 'right' },
      { title: 'error' },
    ]);
    table.print(
      tables.map(({ name, version, state, position, lag, rows, bytes, fault }) => [
        name,
        version,
        fault === null ? state : 'stopped',
        position,
        lag,
        rows,
        sizeText(bytes),
        fault?.error ?? '',
      ]),
    );
  }
  return tables.some(({ fault }) => fault !== null) ? EXIT.failed : EXIT.ok;
}

async function compare(call: Call): Promise<number> {
  const { out, problems, json, values, journal, host } = call;
  const cast = await castFrom(values.cast, 'views compare');
  const examples = integerOf(values.show, 'show', 0) ?? 10;
  const definitions = wantedOf(call, cast);
  if ((await surveyOf(journal)) === undefined)
    throw new ScenarioInputError(`${journal} has no read models: there is no ${journal}.views`);
  const present = presentBy(cast.aggregates);
  let differ = false;
  for (const definition of definitions) {
    if (host.ending.aborted) break;
    const found = await withReader(journal, (reader) =>
      compareBuild(definition, { viewsPath: `${journal}.views`, journal: reader, present, examples }),
    ).catch((error: unknown) => {
      if (!isTroupeError(error)) throw error;
      problems.line(`${definition.name}: ${error.message}`);
      return undefined;
    });
    if (found === undefined || found.differences > 0) differ = true;
    if (found === undefined) continue;
    if (json) out.json(found);
    else printComparison(call, found);
  }
  return differ ? EXIT.failed : EXIT.ok;
}

function printComparison({ out }: Call, found: BuildComparison): void {
  const { name, position, rows, freshRows, differences, examples, columnsLeftOut, version, definitionVersion } = found;
  const versions = version === definitionVersion ? '' : ` (version ${version} against ${definitionVersion})`;
  const left = columnsLeftOut.length === 0 ? '' : `; left out: ${columnsLeftOut.join(', ')}`;
  const verdict = differences === 0 ? 'equal' : `${differences} rows differ`;
  out.line(
    `${name}${versions}: ${verdict}, ${rows} rows, ${freshRows} in a fresh fold up to position ${position}${left}`,
  );
  for (const { key, table, fresh } of examples) {
    out.line(`  ${printable(String(key))}`);
    out.line(`    table ${table === null ? 'has no such row' : compact(table)}`);
    out.line(`    fresh ${fresh === null ? 'has no such row' : compact(fresh)}`);
  }
}

async function rebuild(call: Call): Promise<number> {
  const { out, problems, json, values, journal: path, host } = call;
  const cast = await castFrom(values.cast, 'views rebuild');
  const definitions = wantedOf(call, cast);
  if (path === ':memory:')
    throw new ScenarioInputError('a journal in memory ends with its system; give the path of a file');
  // Refuses what is no journal before a new one would be made there.
  await withReader(path, (reader) => reader.head());
  const journal = await openJournal({ path }).catch((error: unknown) => {
    if (!isTroupeError(error, 'TROUPE_JOURNAL_LOCKED')) throw error;
    throw new TroupeError(
      'TROUPE_JOURNAL_LOCKED',
      `${path} is in use by a running system; stop that system first, or call system.view(projection).rebuild() in it`,
      { cause: error },
    );
  });
  const log: Logger = { debug: nothing, info: nothing, warn: (text) => problems.line(text), error: nothing };
  const projections = new Projections({
    journal,
    window: new EventWindow(journal.head),
    definitions,
    viewsPath: `${path}.views`,
    clock: host.clock,
    log,
    present: presentBy(cast.aggregates),
  });
  let failed = false;
  try {
    await projections.start();
    for (const definition of definitions) {
      const view = projections.view(definition);
      const begun = systemClock.monotonic();
      const rebuilt = view.rebuild();
      const watching = problems.interactive ? watch(call, definition.name, view) : undefined;
      try {
        await rebuilt;
        const seconds = (systemClock.monotonic() - begun) / 1_000;
        const rows = await view.count();
        const facts = { name: definition.name, rows, position: journal.head, seconds: Number(seconds.toFixed(3)) };
        if (json) out.json(facts);
        else
          out.line(
            `${definition.name} is rebuilt: ${rows} rows from ${journal.head} events in ${seconds.toFixed(1)} s`,
          );
      } catch (error) {
        if (!isTroupeError(error)) throw error;
        failed = true;
        problems.line(error.message);
      } finally {
        watching?.();
      }
    }
  } finally {
    await projections.stop();
    await journal.close();
  }
  return failed ? EXIT.failed : EXIT.ok;
}

/** A line each second or so while it goes on; returns the way to stop. */
function watch({ problems }: Call, name: string, view: View<unknown>): () => void {
  let subscription: Subscription | undefined;
  let last = -Infinity;
  const show = ({ share, eventsPerSecond, remainingMs }: BuildProgress): void => {
    const now = systemClock.monotonic();
    if (now - last < 1_000) return;
    last = now;
    const left = remainingMs === null ? '' : `, ${Math.ceil(remainingMs / 1_000)} s left`;
    problems.line(`${name}: ${Math.floor(share * 100)} %, ${eventsPerSecond} events/s${left}`);
  };
  // The build begins a moment after it was asked for.
  const subscribe = (): void => {
    subscription = view.progress().subscribe(show);
  };
  const timer = systemClock.setTimer(200, subscribe, true);
  return () => {
    timer.cancel();
    subscription?.unsubscribe();
  };
}

/** The projections of the cast, or those of them that are named. */
function wantedOf({ values }: Call, cast: Cast): readonly RuntimeProjection[] {
  const names = cast.projections.map(({ name }) => name);
  const wanted = listOf(values.only, 'only');
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ScenarioInputError(
      `the cast has no projection ${unknown}${suggestion(unknown, names) || `; it has ${names.join(', ') || 'none'}`}`,
    );
  }
  if (names.length === 0) throw new ScenarioInputError(`${values.cast ?? ''} exports no projections`);
  return cast.projections.filter(({ name }) => wanted === undefined || wanted.includes(name));
}

/** What stands in the views file; undefined when there is none. */
async function surveyOf(journal: string): Promise<ViewsSurvey | undefined> {
  const path = `${journal}.views`;
  try {
    await access(path);
  } catch {
    return undefined;
  }
  return surveyViews(path);
}

function sizeText(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function nothing(): void {
  // Only what needs a person's eye is shown.
}
