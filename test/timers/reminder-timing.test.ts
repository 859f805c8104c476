/** When reminders come: once, at a pace, and by calendars in time zones that change their clocks. */
import { expect } from 'chai';
import { nextOf, readTiming, type ReminderTiming } from '../../src/timers/reminder-timing.js';
import { expectRefusal } from '../expect-refusal.js';

const NOW = Date.UTC(2021, 2, 26, 12);

function times(timing: ReminderTiming, from: string, count: number): string[] {
  const { firstAt, repeats } = readTiming(timing, Date.parse(from), 'reminder');
  const all = [firstAt];
  while (all.length < count && repeats !== undefined) {
    const last = all.at(-1) ?? firstAt;
    all.push(nextOf(repeats, last, last) ?? expect.fail('there is no next time'));
  }
  return all.map((time) => new Date(time).toISOString().replace(':00.000Z', 'Z'));
}

describe('the timing of a reminder', () => {
  it('is once after a while, or at a moment, whole milliseconds and never earlier than said', () => {
    expect(readTiming({ after: '1.5s' }, NOW, 'r')).to.deep.equal({ firstAt: NOW + 1_500, repeats: undefined });
    expect(readTiming({ after: 0.4 }, NOW, 'r').firstAt).to.equal(NOW + 1);
    expect(readTiming({ at: NOW - 5 }, NOW, 'r')).to.deep.equal({ firstAt: NOW - 5, repeats: undefined });
  });

  it('at a pace keeps its beat, and sends one message for all beats that were missed, or one for each', () => {
    const { firstAt, repeats } = readTiming({ every: '10s' }, NOW, 'r');
    expect(firstAt).to.equal(NOW + 10_000);
    const once = repeats ?? expect.fail();
    expect(nextOf(once, firstAt, firstAt + 3)).to.equal(NOW + 20_000);
    expect(nextOf(once, firstAt, firstAt + 95_000)).to.equal(NOW + 110_000);
    expect(nextOf(once, firstAt, firstAt - 95_000)).to.equal(NOW + 20_000);
    const each = readTiming({ every: '10s', after: 0, missed: 'each' }, NOW, 'r');
    expect(each.firstAt).to.equal(NOW);
    expect(nextOf(each.repeats ?? expect.fail(), NOW, NOW + 95_000)).to.equal(NOW + 10_000);
  });

  it('by calendar goes by the clock on the wall: 9 in New York is an hour earlier for UTC in summer', () => {
    const timing = { cron: '0 9 * * 1', timeZone: 'America/New_York' };
    expect(times(timing, '2021-03-05T00:00:00Z', 3)).to.deep.equal([
      '2021-03-08T14:00Z',
      '2021-03-15T13:00Z',
      '2021-03-22T13:00Z',
    ]);
  });

  it('by calendar comes once, at the end of the hour that spring skips', () => {
    const timing = { cron: '30 1 * * *', timeZone: 'Europe/London' };
    expect(times(timing, '2021-03-27T00:00:00Z', 3)).to.deep.equal([
      '2021-03-27T01:30Z',
      '2021-03-28T01:00Z',
      '2021-03-29T00:30Z',
    ]);
  });

  it('by calendar comes once a day in the hour that autumn repeats, and every hour when it is hourly', () => {
    const daily = { cron: '30 1 * * *', timeZone: 'Europe/London' };
    expect(times(daily, '2021-10-30T12:00:00Z', 2)).to.deep.equal(['2021-10-31T00:30Z', '2021-11-01T01:30Z']);
    const hourly = { cron: '0 * * * *', timeZone: 'Europe/London' };
    expect(times(hourly, '2021-10-30T23:30:00Z', 3)).to.deep.equal([
      '2021-10-31T00:00Z',
      '2021-10-31T01:00Z',
      '2021-10-31T02:00Z',
    ]);
  });

  it('by calendar is in UTC unless a time zone is named, whatever the zone of the machine', () => {
    expect(times({ cron: '0 0 29 2 *' }, '2021-03-01T00:00:00Z', 2)).to.deep.equal([
      '2024-02-29T00:00Z',
      '2028-02-29T00:00Z',
    ]);
  });

  it('by calendar sends one message for all that was missed, or one for each', () => {
    const once = readTiming({ cron: '0 9 * * *' }, NOW, 'r').repeats ?? expect.fail();
    const due = Date.UTC(2021, 2, 27, 9);
    expect(nextOf(once, due, Date.UTC(2021, 2, 30, 10))).to.equal(Date.UTC(2021, 2, 31, 9));
    const each = readTiming({ cron: '0 9 * * *', missed: 'each' }, NOW, 'r').repeats ?? expect.fail();
    expect(nextOf(each, due, Date.UTC(2021, 2, 30, 10))).to.equal(Date.UTC(2021, 2, 28, 9));
  });

  it('is refused by name when it can not be used', () => {
    const refuse = (timing: unknown, ...words: string[]): void => {
      expectRefusal(() => readTiming(timing, NOW, 'order/42: reminder late'), 'order/42: reminder late', ...words);
    };
    refuse({}, 'after', 'every', 'cron');
    refuse(undefined, 'give an object');
    refuse({ after: 'soon' }, "'10s'");
    refuse({ every: 0 }, 'at least 1 ms');
    refuse({ every: '1s', cron: '* * * * *' }, 'one of them');
    refuse({ at: 1, after: 1 }, 'leave it out beside at');
    refuse({ at: Number.NaN }, 'epoch milliseconds');
    refuse({ at: '2021-03-26' }, 'epoch milliseconds');
    refuse({ after: 1, missed: 'each' }, 'missed');
    refuse({ every: 1, missed: 'all' }, "'each'");
    refuse({ every: 1, timeZone: 'UTC' }, 'timeZone');
    refuse({ cron: 'every morning' }, '5 fields');
    refuse({ cron: '61 * * * *' }, '5 fields');
    refuse({ cron: '* * * * * * 2030' }, '5 fields');
    refuse({ cron: '0 0 31 2 *' }, 'no day of any year');
    refuse({ cron: '* * * * *', timeZone: 'Mars/Base' }, 'Europe/London');
    refuse({ in: '1s' }, 'unknown option "in"');
  });
});
