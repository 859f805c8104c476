/**
 * A read model is built anew beside the old one, with progress; its process is killed in the middle, and the next one
 * goes on where that was.
 */
import { fork } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import { ActorSystem, type BuildProgress, defineScenario, type ScenarioContext, ScenarioInputError } from 'troupe';
import { meter, type Reading, slowChecksum, usageByDay } from './meter.js';
import type { Saying } from './second-release.js';

const METERS = 200;
const DAYS = 30;
const CHUNK = 500;
/** Share of the rebuild after which the process is killed. */
const KILL_AT = 0.4;

interface UsageRow {
  readonly day: number;
  readonly readings: number;
  readonly used: number;
  readonly checksum: number;
}

export const projectionRebuild = defineScenario({
  name: 'projection-rebuild',
  title: 'A rebuild that is killed, and goes on',
  goal: 'Show that a read model is rebuilt without downtime: with progress, resumable, and exact in the end.',
  method:
    'Some ten thousand meter readings, and what was used by day. A second release changes that read model; its process is killed with SIGKILL in the middle of the rebuild, and started again.',
  expected:
    'The old rows answer all the time; the second process goes on where the first was; in the end the rows are those of a plain fold.',
  options: {
    readings: { type: 'number', default: 20_000, description: 'events to be folded again' },
  },
  async run(ctx) {
    const { journal, options, signal } = ctx;
    if (journal === ':memory:') {
      throw new ScenarioInputError(
        'projection-rebuild needs a journal that outlives a process; give a file with --journal',
      );
    }
    const workers = ctx.workers === 'auto' ? 1 : ctx.workers;
    const system = await ActorSystem.start({
      name: 'first release',
      cast: new URL('./release-1.js', import.meta.url),
      journal: { path: journal, durability: 'os' },
      workers,
    });
    const before = system.metrics().position;
    try {
      for (let done = 0; done < options.readings && !signal.aborted; done += CHUNK) {
        const events = Array.from({ length: Math.min(CHUNK, options.readings - done) }, () => {
          const data: Reading = { day: 1 + Math.floor(ctx.random() * DAYS), used: Math.floor(ctx.random() * 1_000) };
          return { type: 'meter.read', data };
        });
        await system.append(meter, `meter-${Math.floor(ctx.random() * METERS)}`, events);
      }
      await system.settled({ timeout: '2m' });
      ctx.events(system.metrics().position - before);
      ctx.check('the first release has a row for each day', DAYS, await system.view(usageByDay).count());
    } finally {
      await system.stop();
    }

    ctx.say('Second release: the rebuild begins, and its process is killed in the middle.');
    const first = await rebuild({ ctx, workers, killAt: KILL_AT });
    const killedAt = first.seen.at(-1);
    ctx.checkThat(
      'the first process was killed in the middle of the rebuild',
      first.rows === undefined && killedAt !== undefined && killedAt.share >= KILL_AT && killedAt.share < 1,
      killedAt === undefined ? 'it said nothing' : `at position ${killedAt.position} of ${killedAt.head}`,
    );
    ctx.say('Started again: it goes on where it was.');
    const second = await rebuild({ ctx, workers, killAt: Infinity });
    const resumedAt = second.seen[0];
    ctx.checkThat(
      'the second process goes on where the first was killed',
      resumedAt !== undefined && killedAt !== undefined && resumedAt.position >= killedAt.position,
      `at position ${resumedAt?.position ?? 0}`,
    );
    const all = [...first.seen, ...second.seen];
    ctx.checkThat(
      'progress never goes back, and tells rate and time left',
      all.every((one, i) => i === 0 || one.position >= (all[i - 1]?.position ?? 0)) &&
        all.some(({ eventsPerSecond, remainingMs }) => eventsPerSecond > 0 && (remainingMs ?? 0) > 0),
    );
    ctx.check('the old rows answered all the time', [DAYS], [...new Set([...first.oldRows, ...second.oldRows])]);

    const reader = await ActorSystem.start({
      name: 'reader',
      cast: [meter],
      journal: { path: journal, durability: 'os' },
      workers: 0,
    });
    try {
      ctx.checkThat(
        'the new rows are those of a plain fold of the log',
        isDeepStrictEqual(second.rows, await foldLog(reader)),
        `${second.rows?.length ?? 0} rows`,
      );
    } finally {
      await reader.stop();
    }
    ctx.total('killedAtPosition', killedAt?.position ?? 0);
    ctx.total('resumedAtPosition', resumedAt?.position ?? 0);
    ctx.total('eventsPerSecond', second.seen.at(-1)?.eventsPerSecond ?? 0);
  },
});

interface Rebuild {
  readonly ctx: Pick<ScenarioContext, 'journal' | 'signal' | 'progress'>;
  readonly workers: number;
  /** Share after which the process is killed. */
  readonly killAt: number;
}

interface Rebuilt {
  readonly seen: readonly BuildProgress[];
  /** Rows that the old table answered with, each time it was asked. */
  readonly oldRows: readonly number[];
  /** Undefined when it was killed. */
  readonly rows: readonly unknown[] | undefined;
}

/** Runs the second release in a process of its own, until it is done, or is killed. */
async function rebuild({ ctx, workers, killAt }: Rebuild): Promise<Rebuilt> {
  const seen: BuildProgress[] = [];
  const oldRows: number[] = [];
  let rows: readonly unknown[] | undefined;
  const child = fork(new URL('./second-release.js', import.meta.url), [ctx.journal, String(workers), String(killAt)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let bar: ReturnType<typeof ctx.progress> | undefined;
  child.on('message', (message) => {
    // Only second-release.ts sends here.
    const saying = message as Saying;
    if (saying.kind === 'done') {
      ({ rows } = saying);
      return;
    }
    const { position, head, share, eventsPerSecond, remainingMs } = saying.progress;
    seen.push(saying.progress);
    if (share < 1) oldRows.push(saying.oldRows);
    bar ??= ctx.progress({ total: head, unit: 'events' });
    bar.update(position, { perSecond: eventsPerSecond, secondsLeft: Math.ceil((remainingMs ?? 0) / 1_000) });
    if (share >= killAt) child.kill('SIGKILL');
  });
  const interrupted = (): void => void child.kill('SIGKILL');
  ctx.signal.addEventListener('abort', interrupted);
  await new Promise((resolve) => {
    child.on('close', resolve);
  });
  ctx.signal.removeEventListener('abort', interrupted);
  bar?.stop();
  return { seen, oldRows, rows };
}

/** The rows of the second version, folded by hand. */
async function foldLog(system: ActorSystem): Promise<readonly UsageRow[]> {
  const rows = new Map<number, UsageRow>();
  for await (const { data, position } of system.readAll({ types: ['meter.read'] })) {
    // Its only type of event.
    const { day, used } = data as Reading;
    const row = rows.get(day) ?? { day, readings: 0, used: 0, checksum: 0 };
    rows.set(day, {
      day,
      readings: row.readings + 1,
      used: row.used + used,
      checksum: row.checksum ^ slowChecksum(position, used),
    });
  }
  return [...rows.values()].toSorted((one, other) => one.day - other.day);
}
