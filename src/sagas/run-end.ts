/** What is written at the end of a run, and at the end of a history whose run goes on with another one. */
import type { RecordChange } from '../journal/journal.js';
import type { StoppedEntry } from './saga-entries.js';
import { type EndedHead, rowKey, SAGA_HISTORY, type SagaHead } from './saga-records.js';

/** Ends the run, which goes on with a fresh history. */
export class ContinueAsNew {
  readonly input: unknown;

  constructor(input: unknown) {
    this.input = input;
  }
}

/** @param stop undefined: it has returned `result` */
export function endOf(
  { run, generation, startedAt }: SagaHead,
  endedAt: number,
  stop: StoppedEntry | undefined,
  result: unknown,
): EndedHead {
  return {
    run,
    generation,
    startedAt,
    endedAt,
    ...(stop === undefined
      ? { state: 'done', result }
      : { state: stop.stopped === 'cancelled' ? 'cancelled' : 'failed', error: stop.error }),
  };
}

/** The head with which a saga goes on as new. @param after by type of event, the position behind which waits look */
export function nextHead(head: SagaHead, after: Readonly<Record<string, number>>): SagaHead {
  const generation = head.generation + 1;
  const first = head.run.replace(/~\d+$/, '');
  return { ...head, generation, run: `${first}~${generation}`, byEvent: false, after: { ...head.after, ...after } };
}

/** Takes the rows of a history away. */
export function erasureOf(run: string, rows: number): RecordChange[] {
  return Array.from({ length: rows }, (_, row) => ({ kind: SAGA_HISTORY, key: rowKey(run, row), value: undefined }));
}
