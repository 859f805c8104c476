/** The cast of `snapshots`: the same meter twice, once without snapshots and once with. */
import { aggregate } from 'troupe';

/** Events between two snapshots. */
export const EVERY = 100;

const definition = {
  initialState: () => ({ sum: 0, readings: 0, last: [] as number[] }),
  events: {
    'meter.read': {
      apply: (state: { sum: number; readings: number; last: number[] }, data: { value: number }) => ({
        sum: state.sum + data.value,
        readings: state.readings + 1,
        last: [...state.last, data.value].slice(-10),
      }),
    },
  },
  queries: { sum: (state: { readonly sum: number }) => state.sum },
} as const;

export const bareMeter = aggregate({ name: 'bare-meter', ...definition });

export const meter = aggregate({ name: 'meter', ...definition, snapshot: { every: EVERY } });

/** A release later: the snapshots of before are of another shape and are not used. */
export const nextMeter = aggregate({ name: 'meter', ...definition, snapshot: { every: EVERY, version: 2 } });
