/**
 * The few statistics that the benches need: quantiles, and how far repeated measurements lie apart.
 *
 * Medians throughout, because a mean takes every hiccup of the machine with it.
 */

/** Sorts a copy ascending; what `quantile` wants. */
export function sorted(values: Iterable<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/** The value below which the share `q` (0 to 1) of the sorted values lies, between two of them by interpolation; NaN of none. */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  const place = (ascending.length - 1) * q;
  const below = ascending[Math.floor(place)] ?? Number.NaN;
  const above = ascending[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function median(values: Iterable<number>): number {
  return quantile(sorted(values), 0.5);
}

/** Half the distance between the least and the greatest value, as a share of the median: 0.05 is what people write ±5 %. */
export function spread(values: Iterable<number>): number {
  const ascending = sorted(values);
  const middle = quantile(ascending, 0.5);
  if (middle === 0 || ascending.length === 0) return 0;
  return (quantile(ascending, 1) - quantile(ascending, 0)) / 2 / middle;
}
