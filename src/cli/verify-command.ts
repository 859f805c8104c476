/**
 * `troupe verify JOURNAL`: is the file what it should be, and can today's code read all of it?
 *
 * Reads beside a running system and changes nothing. A file that is no journal is bad input (2); a journal that is
 * damaged, or that the cast can't read, fails (1).
 */
import { systemClock } from '../core/clock.js';
import { isTroupeError } from '../core/troupe-error.js';
import { inspectPath } from '../journal/journal-path.js';
import type { JournalReader } from '../journal/open-journal.js';
import { JOURNAL_CHECKS, type JournalSurvey } from '../journal/verify-journal.js';
import { oneLine } from '../scenario/scenario-input-error.js';
import { EXIT } from '../scenario/scenario-host.js';
import type { Cast } from '../system/cast.js';
import { castFrom, withReader } from './journal-file.js';
import { CAST_OPTION, tool, type ToolCall } from './tool.js';
import { CodeCheck } from './verify-code.js';
import { Findings } from './verify-findings.js';
import { SAGA_CHECK, SagaCheck } from './verify-sagas.js';
import { verifyReadModels } from './verify-read-models.js';

type Call = ToolCall<typeof CAST_OPTION>;

export const verifyCommand = tool({
  name: 'verify',
  summary: 'check a journal from end to end, and with --cast whether your code can read all of it',
  about: [
    "Checks SQLite's structure, all checksums, gapless positions and versions, the index, outcomes, snapshots, " +
      'checkpoints, timers, and what sagas keep. With --cast also: every event is upcast and validated, every state folded, every snapshot compared ' +
      'with a fresh fold, every read model with a fresh build. Run that before you deploy a change of events.',
    'Works while a system runs, and changes nothing.',
  ],
  options: CAST_OPTION,
  examples: [
    ['verify shop.db', 'is the file sound?'],
    ['verify shop.db --cast dist/actors/index.js', 'and can this build read it?'],
  ],
  exits: { ok: 'all is well', failed: 'something is wrong; each fault is named' },
  async run(call) {
    const { out, json, journal, values } = call;
    const cast = values.cast === undefined ? undefined : await castFrom(values.cast, 'verify');
    // What is no journal at all is refused here.
    if (journal !== ':memory:') await inspectPath(journal, 'read');
    const findings = new Findings();
    const survey = await examine(call, cast, findings);
    if (json) {
      const { events = 0, aggregates = [], snapshots = 0 } = survey ?? {};
      out.json({ ok: findings.ok, journal, events, aggregates: aggregates.length, snapshots, checks: findings });
    } else {
      findings.print(out);
      out.line(
        findings.ok
          ? out.palette.good(
              `${journal} is sound: ${survey?.events ?? 0} events of ${survey?.aggregates.length ?? 0} aggregates`,
            )
          : out.palette.bad(`${journal} is not as it should be`),
      );
    }
    return findings.ok ? EXIT.ok : EXIT.failed;
  },
});

/** Undefined when the file is so damaged that it can't be looked at. */
async function examine(call: Call, cast: Cast | undefined, findings: Findings): Promise<JournalSurvey | undefined> {
  for (const check of JOURNAL_CHECKS) findings.expect(check);
  try {
    return await withReader(call.journal, (reader) => examineWith(reader, call, cast, findings));
  } catch (error) {
    if (!isTroupeError(error, 'TROUPE_JOURNAL_CORRUPT')) throw error;
    findings.add({ check: 'file structure', code: error.code, message: oneLine(error) });
    return undefined;
  }
}

async function examineWith(
  reader: JournalReader,
  call: Call,
  cast: Cast | undefined,
  findings: Findings,
): Promise<JournalSurvey> {
  const { problems } = call;
  const sagas = new SagaCheck((finding) => findings.add(finding));
  const code = cast === undefined ? undefined : new CodeCheck(cast.aggregates, (finding) => findings.add(finding));
  const survey = await reader.verify({
    found: (finding) => findings.add({ code: 'TROUPE_JOURNAL_CORRUPT', ...finding }),
    events: (events) => code?.readable(events),
    record: (record) => sagas.record(record),
    timer: (timer) => sagas.timer(timer),
  });
  sagas.end(survey.head, systemClock.now());
  findings.expect('file structure');
  findings.expect('positions', `${survey.events} events in ${survey.pages} pages`);
  findings.expect('versions', `${survey.aggregates.length} aggregates`);
  findings.expect('outcomes', `${survey.outcomes} of commands without events`);
  findings.expect('snapshots', `${survey.snapshots}`);
  findings.expect('checkpoints', `${survey.records} records, ${survey.timers} timers`);
  findings.expect(SAGA_CHECK, sagas.checked);
  if (code === undefined) {
    await verifyReadModels(call.journal, reader, undefined, findings);
    return survey;
  }
  findings.expect('readable by this code', `${survey.events} events`);
  if (!findings.holds(JOURNAL_CHECKS)) {
    problems.line('the journal is damaged, so its states were not folded');
    return survey;
  }
  const counts = await code.fold(reader, survey);
  findings.expect('states of this code', `${counts.states} aggregates`);
  findings.expect('snapshots of this code', `${counts.snapshots} compared with a fresh fold`);
  await verifyReadModels(call.journal, reader, cast, findings);
  for (const [aggregate, events] of code.strangers) {
    problems.line(
      `${events} events are of aggregate ${aggregate}, which is not in the cast: nothing of yours reads them`,
    );
  }
  return survey;
}
