/**
 * What happens to messages on their way: they overtake each other, come twice, or never. By chance from a seed.
 */

/** How bad it is. */
export interface Disorder {
  /** Places that a message may be away from its own; 0: all stay in order. */
  readonly window: number;
  /** Every so many-th is sent twice. */
  readonly repeatEvery: number;
  /** Every so many-th never arrives; Infinity: all do. */
  readonly loseEvery: number;
  readonly random: () => number;
}

/** The messages as they arrive. */
export function disordered<T>(messages: readonly T[], { window, repeatEvery, loseEvery, random }: Disorder): T[] {
  const sent = messages.flatMap((one, index) => {
    if ((index + 1) % loseEvery === 0) return [];
    return (index + 1) % repeatEvery === 0 ? [one, one] : [one];
  });
  // Each gets a place near its own; ties keep their order.
  return sent
    .map((one, index) => ({ one, place: index + random() * window }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ one }) => one);
}
