/**
 * The views file of a journal, for `troupe verify`: it belongs to this journal, no checkpoint lies beyond the events, and
 * the rows are those of a fresh fold.
 *
 * Read models are derived: whatever is wrong with them is mended by a rebuild.
 */
import { stat } from 'node:fs/promises';
import { presentBy } from '../actors/present-event.js';
import { isTroupeError } from '../core/troupe-error.js';
import type { JournalReader } from '../journal/open-journal.js';
import { compareBuild } from '../projections/compare-build.js';
import { surveyViews } from '../projections/views-survey.js';
import { oneLine } from '../scenario/scenario-input-error.js';
import type { Cast } from '../system/cast.js';
import { compact } from './output.js';
import type { Findings } from './verify-findings.js';

const CHECKPOINTS = 'checkpoints of read models';
const ROWS = 'read models of this code';

/** Without a cast only what needs none is looked at. Without a views file there is nothing to say. */
export async function verifyReadModels(
  journal: string,
  reader: JournalReader,
  cast: Cast | undefined,
  findings: Findings,
): Promise<void> {
  const viewsPath = `${journal}.views`;
  const isThere = await stat(viewsPath).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  try {
    const { identity, tables } = await surveyViews(viewsPath);
    findings.expect(CHECKPOINTS, `${tables.length} tables`);
    // Read after the checkpoints: the events go on meanwhile, and never back.
    const head = await reader.head();
    for (const { name, position } of tables) {
      if (position <= head) continue;
      const message = `${name} is at position ${position}, the events end at ${head}; the next start builds it anew`;
      findings.add({ check: CHECKPOINTS, message, position });
    }
    if (identity !== reader.identity) {
      findings.add({
        check: CHECKPOINTS,
        message: `${viewsPath} belongs to another journal; the next start builds it anew`,
      });
      return;
    }
    if (cast === undefined) return;
    let compared = 0;
    const present = presentBy(cast.aggregates);
    for (const definition of cast.projections) {
      const built = tables.find(({ name, state }) => name === definition.name && state === 'live');
      // Another version is built beside this one at the next start; it is no fault that they differ.
      if (built?.version !== definition.options.version || built.position > head) continue;
      compared += 1;
      const found = await compareBuild(definition, { viewsPath, journal: reader, present, examples: 1 });
      if (found.differences === 0) continue;
      const [example] = found.examples;
      const shown =
        example === undefined ? '' : `, such as ${compact(example.table)}, which should be ${compact(example.fresh)}`;
      findings.add({
        check: ROWS,
        position: found.position,
        message:
          `${definition.name}: ${found.differences} rows are not those of a fresh fold up to position ${found.position}${shown}; ` +
          'raise its version if the code has changed, or rebuild it (troupe views rebuild)',
      });
    }
    findings.expect(ROWS, `${compared} compared with a fresh fold`);
  } catch (error) {
    // A file that is damaged, or a handler that throws: told like any other fault.
    if (!isTroupeError(error)) throw error;
    findings.add({ check: ROWS, code: error.code, message: oneLine(error) });
  }
}
