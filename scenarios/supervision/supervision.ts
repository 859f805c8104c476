/**
 * Each way of supervision as a timeline of what really happened, told by the runtime's own facts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ActorSystem, defineScenario, isTroupeError, type RuntimeActor, type SystemFact } from 'troupe';
import { allForOne, child, escalating, oneForOne, patient, restForOne, resuming, stopping } from './cast.js';

/** One way: who is told to fail how often, and what is to come of it. */
interface Act {
  readonly parent: RuntimeActor;
  readonly what: string;
  /** Times that child b fails. */
  readonly failures: number;
  /** Counts of a, b and c afterwards; each had counted to 3. null: it is gone. */
  readonly counts: readonly (number | null)[];
  /** Who began another life. */
  readonly restarted: readonly string[];
}

const ACTS: readonly Act[] = [
  { parent: oneForOne, what: 'only b begins again', failures: 1, counts: [3, 0, 3], restarted: ['b'] },
  { parent: allForOne, what: 'all begin again', failures: 1, counts: [0, 0, 0], restarted: ['a', 'b', 'c'] },
  { parent: restForOne, what: 'b and those spawned after it', failures: 1, counts: [3, 0, 0], restarted: ['b', 'c'] },
  { parent: resuming, what: 'b goes on with its state', failures: 2, counts: [3, 3, 3], restarted: [] },
  { parent: stopping, what: 'b ends', failures: 1, counts: [3, null, 3], restarted: [] },
  { parent: escalating, what: 'the parent fails with it', failures: 1, counts: [0, 0, 0], restarted: ['parent'] },
  {
    parent: patient,
    what: 'two restarts, then the third failure escalates',
    failures: 3,
    counts: [0, 0, 0],
    restarted: ['b', 'b', 'parent'],
  },
];

const COUNTED = 3;
/** Milliseconds within which an act comes to its end, on a busy machine. */
const ENDS_WITHIN_MS = 20_000;

export const supervision = defineScenario({
  name: 'supervision',
  title: 'Who begins again when one fails',
  goal: 'Show each strategy and directive of supervision by what happens, and not by what is written about it.',
  method:
    'A parent with three children, who have counted to 3, for each way; then b fails. The timeline is made of the facts that the runtime tells.',
  expected:
    'Exactly those begin again who should, the others keep their counts, and no message is lost but those that failed.',
  async run(ctx) {
    const silent = (): void => undefined;
    const system = await ActorSystem.start({
      name: 'supervision',
      cast: new URL('./cast.js', import.meta.url),
      journal: ctx.journal,
      workers: ctx.workers,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    });
    const facts: SystemFact[] = [];
    system.facts.subscribe((fact) => void facts.push(fact));
    try {
      for (const act of ACTS) {
        facts.length = 0;
        const { counts, restarted } = await play(system, act, facts);
        const { name } = act.parent;
        ctx.say();
        ctx.say(`  ${name}: ${act.what}`);
        for (const line of timeline(facts)) ctx.say(line);
        ctx.check(`${name}: who begins again`, act.restarted, restarted);
        ctx.check(`${name}: the counts of a, b and c`, act.counts, counts);
      }
      ctx.say();
      const letters = await lettersOf(system);
      ctx.check('no message was lost', [], letters);
      ctx.total('failures', system.metrics().facts.failed);
      ctx.total('restarts', system.metrics().facts.restarted);
    } finally {
      await system.stop();
    }
  },
});

async function play(system: ActorSystem, act: Act, facts: readonly SystemFact[]) {
  const parent = await system.spawn(act.parent, { id: act.parent.name });
  await parent.ask('ready');
  const refs = ['a', 'b', 'c'].map((place) => system.ref(child, `${act.parent.name}-${place}`));
  for (const ref of refs) for (let i = 0; i < COUNTED; i += 1) await ref.ask('add');
  for (let i = 1; i <= act.failures; i += 1) {
    const failed = await refs[1]?.ask('fail', `failure ${i}`).catch((error: unknown) => error);
    if (!isTroupeError(failed, 'TROUPE_ACTOR_FAILED')) throw new Error(`a failure ended as ${String(failed)}`);
  }
  const restarted = (): string[] =>
    facts.flatMap((fact) => (fact.kind === 'restarted' ? [placeOf(fact)] : [])).toSorted();
  const untilMs = performance.now() + ENDS_WITHIN_MS;
  const isOver = async (): Promise<boolean> => {
    const current = await countsOf(refs);
    return (
      JSON.stringify(current) === JSON.stringify(act.counts) &&
      JSON.stringify(restarted()) === JSON.stringify(act.restarted)
    );
  };
  while (!(await isOver()) && performance.now() < untilMs) await sleep(10);
  const counts = await countsOf(refs);
  await parent.stop();
  return { counts, restarted: restarted() };
}

/** What each of them has counted; null: it is not there. */
function countsOf(refs: readonly ReturnType<typeof refOf>[]): Promise<(number | null)[]> {
  return Promise.all(refs.map((ref) => ref.ask('count').catch(() => null)));
}

function refOf(system: ActorSystem) {
  return system.ref(child, 'a');
}

function placeOf({ name, id }: { readonly name: string; readonly id: string }): string {
  return name === child.name ? id.slice(-1) : 'parent';
}

/** What happened, in milliseconds from the first failure on; asks and spawns before it are no news. */
function timeline(facts: readonly SystemFact[]): string[] {
  const first = facts.findIndex((fact) => fact.kind === 'failed');
  const startMs = facts[first]?.at ?? 0;
  return facts.slice(Math.max(0, first)).flatMap((fact) => {
    const text = textOf(fact);
    return text === undefined ? [] : [`    ${`${fact.at - startMs} ms`.padStart(9)}  ${text}`];
  });
}

function textOf(fact: SystemFact): string | undefined {
  switch (fact.kind) {
    case 'failed': {
      const then = fact.directive === 'restart' ? `restart in ${Math.round(fact.delayMs)} ms` : fact.directive;
      return `✗ ${placeOf(fact)} fails: ${then}${fact.because === '' ? '' : ` (${fact.because})`}`;
    }
    case 'restarted':
      return `↻ ${placeOf(fact)} begins its life number ${fact.life}`;
    case 'spawned':
      return `+ ${placeOf(fact)} is spawned`;
    case 'stopped':
      return `■ ${placeOf(fact)} has ended`;
    default:
      return undefined;
  }
}

async function lettersOf(system: ActorSystem): Promise<string[]> {
  await system.settled();
  return system.deadLetters.list().map(({ reason, type }) => `${reason} ${type}`);
}
