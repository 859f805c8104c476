/**
 * The nearest known name to a mistyped one, for error messages.
 *
 * Distance as of Damerau and Levenshtein with adjacent swaps (optimal string alignment), case ignored; a name
 * counts as near when at most a third of its letters differ.
 */

/**
 * The candidate most like `name`, or undefined when none is like it.
 *
 * @example
 * didYouMean('snapshots', ['snapshot', 'mailbox']); // 'snapshot'
 */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean 'x'?`, or an empty text when no candidate is near. */
export function suggestion(name: unknown, candidates: Iterable<string>): string {
  // JavaScript may pass anything where a name belongs.
  if (typeof name !== 'string') return '';
  const near = didYouMean(name, candidates);
  return near === undefined ? '' : `; did you mean '${near}'?`;
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

/** Every index asked for has been written before; Infinity would only make the distance larger. */
function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
