/**
 * A crash at every point of a saga of five steps with three compensations: at each write of its history and at each
 * command, before and after it, with the saga going well, failing at each step, and cancelled at each step.
 */
import { expect } from 'chai';
import { saga } from '../../src/sagas/saga-definition.js';
import { turns } from '../support/turns.js';
import { type CrashPoint, Disk, SagaLife, target } from './saga-life.js';

const STEPS = 5;

/** What happens to the saga beside crashes: nothing, the n-th step is refused, or a cancel when the n-th has been asked. */
interface Fate {
  readonly refusedAt?: number;
  readonly cancelledAt?: number;
}

interface Ending {
  readonly state: string;
  /** Balance of each thing done and undone. */
  readonly effects: readonly string[];
}

/** One story with any number of crashes; ends when the saga has. */
async function story(fate: Fate, crashes: readonly (CrashPoint | undefined)[]): Promise<Ending & { points: number }> {
  const disk = new Disk();
  const outside: string[] = [];
  let life: SagaLife | undefined;
  disk.world.decide = ({ type, targetId }) =>
    type === 'do' && targetId === `step-${fate.refusedAt}` ? { rejected: 'refused' } : { reply: { at: targetId } };
  const definition = saga({
    name: 's',
    async run(ctx) {
      for (let step = 0; step < STEPS; step += 1) {
        if (step < 3) ctx.compensate(`undo ${step}`, () => ctx.ask(target, `step-${step}`, 'undo'));
        if (step === 3) {
          await ctx.step('outside', ({ id }) => {
            // A dead process does nothing.
            if (life?.dead === false) outside.push(id);
          });
        }
        await Promise.all([ctx.ask(target, `step-${step}`, 'do'), ctx.sleep('10ms')]);
      }
      return 'well';
    },
  });
  let cancelled = false;
  let points = 0;
  let nowMs = Date.UTC(2020, 0, 1);
  for (let lives = 0; lives < 20; lives += 1) {
    const crash = crashes[lives];
    life = await SagaLife.begin(disk, [definition], { nowMs, ...(crash === undefined ? {} : { crash }) });
    const here = life;
    const ref = here.ref(definition, '1');
    // Whoever starts it does so until that has been acknowledged.
    void ref.start().catch(() => undefined);
    for (let i = 0; i < 4_000 && !here.dead; i += 1) {
      await turns(2);
      const asked = disk.world.effects.length + (fate.refusedAt === undefined ? 0 : 1);
      if (fate.cancelledAt !== undefined && !cancelled && asked > fate.cancelledAt) {
        cancelled = true;
        void ref.cancel('by law').catch(() => undefined);
      }
      if ((await Promise.race([ref.status(), here.death])).state.match(/done|failed|cancelled|parked/)) break;
      if (i % 3 === 2) await here.clock.advance(5);
    }
    points = here.points;
    nowMs = here.clock.now();
    if (!here.dead) {
      const { state } = await ref.status();
      const effects = disk.world.effects.map(({ type, targetId, commandId }) => `${type} ${targetId} ${commandId}`);
      expect(new Set(effects).size, 'an effect twice').to.equal(effects.length);
      // A function under way in a crash runs again, under the same id; it is never run once its result is durable.
      expect(new Set(outside).size).to.be.lessThan(2);
      await here.stop();
      return { state, effects: disk.world.effects.map(({ type, targetId }) => `${type} ${targetId}`), points };
    }
    // A cancel that was not acknowledged is asked for again.
    if (fate.cancelledAt !== undefined) cancelled = false;
  }
  throw new Error('did not come to an end');
}

/** Whether what was done has been undone as it must be, whatever was under way when it stopped. */
function expectConsistent({ state, effects }: Ending, fate: Fate, where: string): void {
  const dos = effects.filter((effect) => effect.startsWith('do'));
  const undos = effects.filter((effect) => effect.startsWith('undo'));
  expect(dos, where).to.deep.equal(Array.from(dos, (_, step) => `do step-${step}`));
  if (state === 'done') {
    expect(dos, where).to.have.length(STEPS);
    expect(undos, where).to.deep.equal([]);
    return;
  }
  expect(state, where).to.equal(fate.cancelledAt === undefined ? 'failed' : 'cancelled');
  // All that were registered, last first: those of the steps begun, which includes one that was refused or cut off.
  const registered = Math.min(3, undos.length);
  expect(undos, where).to.deep.equal(Array.from({ length: registered }, (_, i) => `undo step-${registered - 1 - i}`));
  expect(undos.length, where).to.be.at.least(Math.min(3, dos.length));
  expect(effects.slice(dos.length), where).to.deep.equal(undos);
}

describe('a crash of the process', () => {
  const fates: readonly [string, Fate][] = [
    ['going well', {}],
    ...Array.from({ length: STEPS }, (_, n): [string, Fate] => [`refused at step ${n}`, { refusedAt: n }]),
    ...Array.from({ length: STEPS }, (_, n): [string, Fate] => [`cancelled at step ${n}`, { cancelledAt: n }]),
  ];
  for (const [name, fate] of fates) {
    it(`at any point of a saga ${name} ends as without it, no effect twice`, async function () {
      this.timeout(120_000);
      const plain = await story(fate, []);
      expectConsistent(plain, fate, 'without a crash');
      for (const moment of ['before', 'after'] as const) {
        for (let at = 1; at <= plain.points + 2; at += 1) {
          const where = `crash ${moment} point ${at}`;
          const ending = await story(fate, [{ at, moment }]);
          expectConsistent(ending, fate, where);
          if (fate.cancelledAt === undefined) {
            expect({ state: ending.state, effects: ending.effects }, where).to.deep.equal({
              state: plain.state,
              effects: plain.effects,
            });
          }
        }
      }
    });
  }

  it('again and again, at points chosen by a seed, changes nothing either (20 seeds)', async function () {
    this.timeout(120_000);
    const plain = await story({ refusedAt: 4 }, []);
    for (let seed = 1; seed <= 20; seed += 1) {
      let state = seed;
      const random = (most: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
        return 1 + ((state >>> 8) % most);
      };
      const crashes = Array.from({ length: 6 }, (): CrashPoint => {
        return { at: random(plain.points), moment: random(2) === 1 ? 'before' : 'after' };
      });
      const ending = await story({ refusedAt: 4 }, crashes);
      expect(ending.effects, `seed ${seed}`).to.deep.equal(plain.effects);
    }
  });
});
