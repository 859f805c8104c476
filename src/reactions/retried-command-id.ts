/**
 * Command ids of second chances.
 *
 * A rejection is an outcome: a repeat of the id gets it again, for as long as it is remembered. Whoever asks for a
 * retry by hand wants the command decided anew, so it gets a fresh id, derived from the rejected one: asking twice
 * for the same retry, also across a crash, is still one command. A rejected command has had no effect, so nothing
 * is doubled.
 */

const RETRIED = /~retry(\d+)$/;

/** The id for the next chance of a command that was rejected under `id`: `<id>~retry1`, then `<id>~retry2`. */
export function nextRetryId(id: string): string {
  const number = Number(RETRIED.exec(id)?.[1] ?? 0);
  return `${firstId(id)}~retry${number + 1}`;
}

/** The id under which the command was first sent. */
export function firstId(id: string): string {
  return id.replace(RETRIED, '');
}
