/** The progress of a replay, drawn by the clock: it moves on while the last reactions finish, too. */
import type { ActorSystem, ScenarioContext } from 'troupe';
import { lagOf } from './replay.js';

const DRAW_EVERY_MS = 100;

export interface ProgressWatch {
  show(rows: number): void;
  stop(): void;
}

export function watchProgress(ctx: ScenarioContext, system: ActorSystem, total: number): ProgressWatch {
  const progress = ctx.progress({ total, unit: 'rows' });
  const headBefore = system.metrics().position;
  const startedMs = performance.now();
  let rowsDone = 0;

  const draw = (): void => {
    const events = system.metrics().position - headBefore;
    const seconds = (performance.now() - startedMs) / 1_000;
    progress.update(rowsDone, { 'events/s': Math.round(events / seconds), lag: lagOf(system) });
  };
  const timer = setInterval(draw, DRAW_EVERY_MS);

  return {
    show: (rows) => {
      rowsDone = rows;
    },
    stop: () => {
      clearInterval(timer);
      draw();
      progress.stop();
    },
  };
}
