/**
 * The cast of `iot-fleet`: sensors in the field, and the gateways through which they speak. Nothing here is about shops.
 */
import { actor, type ActorRef } from 'troupe';

/** Above this a device raises an alarm. */
export const TOO_HOT = 90;

/** What a device measures in a round: made up, but always the same, so that others can tell what has to come out. */
export function temperatureOf(device: number, round: number): number {
  return ((device * 7_919 + round * 104_729) % 1_000) / 10;
}

/** Every so many devices have a fault in their firmware, which shows in the round of this number. */
export const FAULTY_EVERY = 100;
export const FAULT_ROUND = 2;

export const device = actor({
  name: 'device',
  initialState: (args: { readonly number: number }) => ({ number: args.number, readings: 0, hottest: 0 }),
  receive: {
    measure(state, round: number, ctx) {
      if (round === FAULT_ROUND && state.number % FAULTY_EVERY === 0) throw new Error('firmware fault');
      const temperature = temperatureOf(state.number, round);
      state.readings += 1;
      state.hottest = Math.max(state.hottest, temperature);
      if (temperature > TOO_HOT) ctx.parent?.tell('alarm', state.number);
    },
    readings: (state) => state.readings,
  },
  mailbox: { capacity: 100 },
});

/** Owns the devices of one site, tells them when to measure, and hears their alarms. */
export const gateway = actor({
  name: 'gateway',
  initialState: (args: { readonly first: number; readonly count: number }) => ({
    ...args,
    devices: [] as ActorRef<typeof device>[],
    alarms: 0,
  }),
  started(state, ctx) {
    for (let number = state.first; number < state.first + state.count; number += 1) {
      state.devices.push(ctx.spawn(device, { id: `device-${number}`, args: { number } }));
    }
  },
  receive: {
    round(state, round: number) {
      for (const one of state.devices) one.tell('measure', round);
    },
    alarm(state) {
      state.alarms += 1;
    },
    alarms: (state) => state.alarms,
    devices: (state) => state.devices.length,
  },
  // All devices may have something to say at the same time.
  mailbox: { capacity: 100_000 },
  children: { backoff: { min: '10ms', max: '1s' } },
});
