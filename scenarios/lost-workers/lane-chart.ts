/**
 * A timeline in text: a lane for each worker, a column for each slice of time, a block as high as what was answered in it.
 */

/** Something that was answered: when, in milliseconds from the start, and on which lane. */
export interface Answered {
  readonly atMs: number;
  readonly lane: string;
}

/** Something worth a line of its own. */
export interface Moment {
  readonly atMs: number;
  readonly lane: string;
  /** Stands in the lane. */
  readonly mark: string;
  readonly text: string;
}

const HEIGHTS = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const COLUMNS = 72;

/** The lines of the timeline, first the lanes, then the moments with their times. */
export function laneChart(answers: readonly Answered[], moments: readonly Moment[]): string[] {
  const lanes = [...new Set([...answers, ...moments].map(({ lane }) => lane))].toSorted();
  const endMs = Math.max(1, ...answers.map(({ atMs }) => atMs), ...moments.map(({ atMs }) => atMs));
  const columnOf = (atMs: number): number => Math.min(COLUMNS - 1, Math.floor((atMs / endMs) * COLUMNS));
  const counts = new Map(lanes.map((lane) => [lane, new Array<number>(COLUMNS).fill(0)]));
  for (const { atMs, lane } of answers) {
    const row = counts.get(lane);
    if (row !== undefined) row[columnOf(atMs)] = (row[columnOf(atMs)] ?? 0) + 1;
  }
  const width = Math.max(...lanes.map((lane) => lane.length));
  // Half the height is what is usual: what had waited and comes all at once would press all the rest flat.
  const busy = [...counts.values()].flat().filter((count) => count > 0);
  const usual = busy.toSorted((one, other) => one - other)[busy.length >> 1] ?? 1;
  const lines = lanes.map((lane) => {
    const cells = (counts.get(lane) ?? []).map((count) => HEIGHTS[Math.min(8, Math.ceil((count / usual) * 4))] ?? '');
    for (const moment of moments) if (moment.lane === lane) cells[columnOf(moment.atMs)] = moment.mark;
    return `  ${lane.padEnd(width)}  ${cells.join('')}`;
  });
  const scale = `  ${' '.repeat(width)}  0${`${Math.round(endMs)} ms`.padStart(COLUMNS - 1)}`;
  const story = moments
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ atMs, lane, mark, text }) => `  ${`${Math.round(atMs)} ms`.padStart(9)}  ${mark} ${lane}: ${text}`);
  return [...lines, scale, '', ...story];
}
