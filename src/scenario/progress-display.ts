/**
 * Progress for people, on standard error: a bar on a terminal, elsewhere (a log, a pipe) a line every few seconds.
 *
 * The bar is drawn by cli-progress, a few times a second however often it is updated. It is plain text of at most one
 * line: cli-progress cuts by characters, and would cut a colour in two.
 */
import { SingleBar } from 'cli-progress';
import type { Clock } from '../core/clock.js';
import { readableCount, readableSeconds } from './readable-numbers.js';
import type { ScenarioProgress } from './scenario-context.js';
import type { Terminal } from './terminal.js';

/** What is counted. */
export interface ProgressOptions {
  readonly total: number;
  readonly unit: string;
}

/** A display that can make room for a line of text. */
export interface ProgressDisplay extends ScenarioProgress {
  /** Writes something above the bar, and draws the bar again below it. */
  above(write: () => void): void;
}

type Facts = Readonly<Record<string, string | number>>;

/** Time between two lines when there is no terminal. */
const LINE_EVERY_MS = 5_000;
const FRAMES_PER_SECOND = 8;
const BAR_WIDTH = 24;
/** In a narrow terminal the numbers matter more. */
const NARROW_BAR_WIDTH = 8;
const NARROW_COLUMNS = 72;

/** Starts a display that fits the terminal. */
export function startProgress(options: ProgressOptions, terminal: Terminal, clock: Clock): ProgressDisplay {
  return terminal.interactive ? startBar(options, terminal, clock) : startLines(options, terminal, clock);
}

function startBar(options: ProgressOptions, terminal: Terminal, clock: Clock): ProgressDisplay {
  const startedMs = clock.monotonic();
  let done = 0;
  let facts: Facts = {};
  let stopped = false;
  const bar = new SingleBar({
    stream: terminal.stream,
    fps: FRAMES_PER_SECOND,
    // The runner handles signals; and a cursor that is never hidden need not be brought back after `kill -9`.
    gracefulExit: false,
    hideCursor: null,
    // Something else may have written over it.
    forceRedraw: true,
    // True is what leaves the terminal's own setting alone; no line here is that long.
    linewrap: true,
    format: () => {
      const facets = progressFacets(options, done, facts, (clock.monotonic() - startedMs) / 1_000);
      const columns = terminal.stream.columns ?? 80;
      const width = columns < NARROW_COLUMNS ? NARROW_BAR_WIDTH : BAR_WIDTH;
      return `  ${drawBar(done / options.total, width)} ${joinWithin(facets, columns - width - 4)}`;
    },
  });
  bar.start(options.total, 0);

  return {
    update(nowDone, nowFacts = {}) {
      done = nowDone;
      facts = nowFacts;
      bar.update(nowDone);
    },
    stop() {
      if (stopped) return;
      stopped = true;
      bar.stop();
    },
    above(write) {
      if (stopped) return write();
      terminal.stream.write('\r\u001b[2K');
      write();
      // cli-progress goes back to the place saved at its start when it stops; the line has moved that place.
      terminal.stream.write('\u001b7');
      bar.render();
    },
  };
}

function startLines(options: ProgressOptions, terminal: Terminal, clock: Clock): ProgressDisplay {
  const startedMs = clock.monotonic();
  let shownMs = startedMs;
  return {
    update(done, facts = {}) {
      const nowMs = clock.monotonic();
      if (nowMs - shownMs < LINE_EVERY_MS) return;
      shownMs = nowMs;
      terminal.line(`  ${progressFacets(options, done, facts, (nowMs - startedMs) / 1_000).join(' · ')}`);
    },
    stop() {},
    above: (write) => write(),
  };
}

/** ` 62%  3,301 of 5,331 rows`, `12,345 rows/s`, `3 s left`, `lag 12`: the most important first. */
function progressFacets({ total, unit }: ProgressOptions, done: number, facts: Facts, seconds: number): string[] {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const percent = String(Math.floor(share * 100)).padStart(3);
  const facets = [`${percent}%  ${readableCount(done)} of ${readableCount(total)} ${unit}`];
  if (done > 0 && seconds > 0) {
    const rate = done / seconds;
    facets.push(`${readableCount(Math.round(rate))} ${unit}/s`);
    if (share < 1) facets.push(`${readableWait((total - done) / rate)} left`);
  }
  for (const [name, value] of Object.entries(facts)) {
    facets.push(`${name} ${typeof value === 'number' ? readableCount(value) : value}`);
  }
  return facets;
}

/** As many facets as fit on the line, from the first. */
function joinWithin(facets: readonly string[], width: number): string {
  let text = '';
  for (const facet of facets) {
    const longer = text === '' ? facet : `${text} · ${facet}`;
    if (longer.length > width) break;
    text = longer;
  }
  return text;
}

/** Whole seconds: what is a guess need not look exact. */
function readableWait(seconds: number): string {
  return seconds < 60 ? `${Math.ceil(seconds)} s` : readableSeconds(seconds);
}

function drawBar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, Number.isFinite(share) ? share : 1)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
