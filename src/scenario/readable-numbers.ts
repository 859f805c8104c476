/**
 * Numbers as people read them: thousands separators, times with their unit. The same on every machine, whatever its locale.
 */

const COUNT = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 3 });

/** `541,909`; at most three decimals. */
export function readableCount(value: number): string {
  return COUNT.format(value);
}

/** `42 ms`, `0.42 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`. */
export function readableSeconds(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${twoDigits(Math.floor((whole % 3600) / 60))} min`;
}

/** `1 check`, `12 checks`. */
export function readableAmount(count: number, one: string, many: string): string {
  return `${readableCount(count)} ${count === 1 ? one : many}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
