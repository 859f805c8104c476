/** What `projection-rebuild` is about: meters that are read, and what has been used by day, in two versions. */
import { aggregate, projection } from 'troupe';

export interface Reading {
  readonly day: number;
  readonly used: number;
}

export const meter = aggregate({
  name: 'meter',
  initialState: () => ({ readings: 0 }),
  events: { 'meter.read': { apply: ({ readings }, _data: Reading) => ({ readings: readings + 1 }) } },
  commands: { read: { handle: (_state, input: Reading, ctx) => ctx.emit('meter.read', input) } },
});

const columns = { day: 'integer primary key', readings: 'integer', used: 'integer', checksum: 'integer' } as const;

export const usageByDay = projection({
  name: 'usage-by-day',
  of: [meter],
  columns,
  key: (event) => event.data.day,
  on: {
    'meter.read': (row = { readings: 0, used: 0, checksum: 0 }, { data }) => ({
      readings: row.readings + 1,
      used: row.used + data.used,
      checksum: 0,
    }),
  },
});

/** The second version has a checksum that takes its time, so that there is something to be seen of a rebuild. */
export const usageByDayWithChecksum = projection({
  name: 'usage-by-day',
  version: 2,
  of: [meter],
  columns,
  key: (event) => event.data.day,
  on: {
    'meter.read': (row = { readings: 0, used: 0, checksum: 0 }, { data, position }) => ({
      readings: row.readings + 1,
      used: row.used + data.used,
      checksum: row.checksum ^ slowChecksum(position, data.used),
    }),
  },
});

/** Rounds of the checksum: some 20 µs. */
const ROUNDS = 20_000;

export function slowChecksum(position: number, used: number): number {
  let sum = position | 0;
  for (let round = 0; round < ROUNDS; round += 1) sum = (Math.imul(sum, 31) + used + round) & 0x3fff_ffff;
  return sum;
}
