/**
 * A fleet of 100,000 devices, each an actor of its own: they measure, raise alarms, fail and come back.
 */
import { ActorSystem, defineScenario, ScenarioInputError } from 'troupe';
import { device, FAULT_ROUND, FAULTY_EVERY, gateway, temperatureOf, TOO_HOT } from './cast.js';

const PER_SITE = 1_000;
const ROUNDS = 3;
const MIB = 1_048_576;

export const iotFleet = defineScenario({
  name: 'iot-fleet',
  title: 'A hundred thousand devices, each an actor',
  goal: "Show that actors are cheap enough to be one for each thing in the world, and that one that fails is nobody else's trouble.",
  method:
    'Gateways spawn 1,000 devices each and have them measure three times; hot ones raise an alarm, one in a hundred fails in the second round and is restarted by its gateway.',
  expected:
    'Every device is there at the end; readings and alarms are those that arithmetic says, less those of the messages that failed; only the faulty ones have begun again.',
  options: { devices: { type: 'number', default: 100_000, description: 'how many, in thousands', placeholder: 'N' } },
  async run(ctx) {
    const { devices } = ctx.options;
    if (!Number.isSafeInteger(devices) || devices < PER_SITE || devices % PER_SITE !== 0) {
      throw new ScenarioInputError('--devices: give a multiple of 1,000');
    }
    const silent = (): void => undefined;
    const system = await ActorSystem.start({
      name: 'fleet',
      cast: new URL('./cast.js', import.meta.url),
      journal: ctx.journal,
      workers: ctx.workers,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    });
    const sites = devices / PER_SITE;
    const progress = ctx.progress({ total: sites * (ROUNDS + 1), unit: 'site rounds' });
    let done = 0;
    const each = async (what: (ref: Awaited<ReturnType<typeof start>>) => Promise<unknown>): Promise<void> => {
      for (const ref of refs) {
        await what(ref);
        progress.update((done += 1));
      }
      await system.settled({ timeout: '5m' });
    };
    const start = (site: number) =>
      system.spawn(gateway, { id: `site-${site}`, args: { first: site * PER_SITE, count: PER_SITE } });
    const refs: Awaited<ReturnType<typeof start>>[] = [];
    try {
      const before = process.memoryUsage().rss;
      let startedMs = performance.now();
      for (let site = 0; site < sites; site += 1) refs.push(await start(site));
      await each((ref) => ref.ask('devices', undefined, { timeout: '60s' }));
      const spawnMs = performance.now() - startedMs;
      const perDevice = Math.max(0, process.memoryUsage().rss - before) / devices;
      startedMs = performance.now();
      for (let round = 1; round <= ROUNDS; round += 1)
        await each((ref) => ref.send('round', round, { timeout: '60s' }));
      const measureMs = performance.now() - startedMs;
      progress.stop();

      const alarms = await sum(refs.map((ref) => ref.ask('alarms', undefined, { timeout: '60s' })));
      let readings = 0;
      for (let first = 0; first < devices; first += PER_SITE) {
        const some = Array.from({ length: PER_SITE }, (_, i) => system.ref(device, `device-${first + i}`));
        readings += await sum(some.map((ref) => ref.ask('readings', undefined, { timeout: '60s' })));
      }
      await system.settled({ timeout: '60s' });
      const { instances, facts, deadLetters } = await seen(system);
      const faulty = devices / FAULTY_EVERY;
      ctx.say();
      ctx.say(`  ${devices.toLocaleString('en')} devices at ${sites} sites`);
      ctx.say(
        `  spawned in ${(spawnMs / 1_000).toFixed(1)} s, ${Math.round(devices / (spawnMs / 1_000)).toLocaleString('en')} a second`,
      );
      ctx.say(
        `  ${Math.round(perDevice).toLocaleString('en')} bytes of the process's memory for each, all told (${Math.round((perDevice * devices) / MIB)} MiB)`,
      );
      ctx.say(
        `  ${ROUNDS} rounds in ${(measureMs / 1_000).toFixed(1)} s, ${Math.round((devices * ROUNDS) / (measureMs / 1_000)).toLocaleString('en')} readings a second`,
      );
      ctx.say();
      ctx.total('devices', devices);
      ctx.total('readings', readings);
      ctx.total('alarms', alarms);
      ctx.total('bytesPerDevice', Math.round(perDevice));
      ctx.check('every device is there', devices, instances['device']);
      // A faulty one forgets the first round when it begins again, and never takes its second reading.
      ctx.check('every reading was taken', devices * ROUNDS - faulty * 2, readings);
      ctx.check('every alarm was heard', expectedAlarms(devices), alarms);
      ctx.check('the faulty ones began again, and nobody else', faulty, facts.restarted);
      ctx.check('what failed is a dead letter each', faulty, deadLetters['failed'] ?? 0);
    } finally {
      progress.stop();
      await system.stop({ timeout: '60s' });
    }
  },
});

/** Metrics of workers are a moment old; by now they are of now. */
async function seen(system: ActorSystem) {
  const untilMs = performance.now() + 10_000;
  let last = JSON.stringify(system.metrics().facts);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 600));
    const now = JSON.stringify(system.metrics().facts);
    if (now === last || performance.now() > untilMs) return system.metrics();
    last = now;
  }
}

async function sum(numbers: readonly Promise<number>[]): Promise<number> {
  return (await Promise.all(numbers)).reduce((one, other) => one + other, 0);
}

/** As arithmetic says: a faulty device raises none in the round of its fault. */
function expectedAlarms(devices: number): number {
  let alarms = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (let number = 0; number < devices; number += 1) {
      const fails = round === FAULT_ROUND && number % FAULTY_EVERY === 0;
      if (!fails && temperatureOf(number, round) > TOO_HOT) alarms += 1;
    }
  }
  return alarms;
}
