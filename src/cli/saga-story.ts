/**
 * A saga as the journal tells it: where it is, what it waits for, and its steps as a timeline. Pure.
 *
 * Read from records alone (saga-records.ts), so it can be told beside a running system, after a crash, and without
 * the code of the saga. Of one at work it says what was durable a moment ago.
 */
import type { SagaEntry } from '../sagas/saga-entries.js';
import type { EndedHead, SagaHead } from '../sagas/saga-records.js';

export type SagaState =
  | 'running'
  | 'waiting'
  | 'sleeping'
  | 'compensating'
  | 'parked'
  | 'done'
  | 'failed'
  | 'cancelled';

/** What a list says of a saga. */
export interface SagaSummary {
  readonly name: string;
  readonly id: string;
  readonly state: SagaState;
  /** Epoch milliseconds of the last step, or of the end. */
  readonly since: number;
  readonly startedAt: number;
  /** What it waits for: an event, another saga, a time, or an answer. */
  readonly waitingFor: string | undefined;
  readonly error: { readonly code: string | undefined; readonly message: string } | undefined;
}

/** One step of a timeline. */
export interface StoryStep {
  readonly step: string;
  readonly at: number;
  /** Milliseconds until its outcome; undefined while there is none. */
  readonly ms: number | undefined;
  /** What it was for: `run`, or the number of the compensation. */
  readonly of: number | undefined;
  readonly state: 'done' | 'failed' | 'open' | 'told';
  readonly value: unknown;
  readonly error: { readonly code: string | undefined; readonly message: string } | undefined;
  /** When a sleep or a wait ends. */
  readonly due: number | undefined;
  /** Position of the event that a wait has returned. */
  readonly event: number | undefined;
}

/** What else happened: the run was stopped, a compensation has ended. */
export interface StoryTurn {
  readonly at: number;
  readonly what: string;
}

export interface SagaStory {
  readonly steps: readonly StoryStep[];
  readonly turns: readonly StoryTurn[];
}

const REASONS = { failed: 'failed', cancelled: 'was cancelled', 'timed-out': 'took too long' } as const;

interface Fault {
  readonly code: unknown;
  readonly message: string;
}

function shown(error: Fault | undefined): SagaSummary['error'] {
  if (error === undefined) return undefined;
  return { code: typeof error.code === 'string' ? error.code : undefined, message: error.message };
}

/** What is said of one that has ended. */
export function endedSummary(key: string, end: EndedHead): SagaSummary {
  const { state, endedAt, startedAt, error } = end;
  return { ...addressOf(key), state, since: endedAt, startedAt, waitingFor: undefined, error: shown(error) };
}

/** What is said of one that has not ended; `parked` tells whether a dead letter stands for it. */
export function livingSummary(key: string, head: SagaHead, story: SagaStory, parked: boolean): SagaSummary {
  const { idle, startedAt } = head;
  const stopped = story.turns.find(({ what }) => what.startsWith('stopped'));
  const last = Math.max(startedAt, ...story.steps.map(({ at, ms = 0 }) => at + ms), ...story.turns.map(({ at }) => at));
  const base = { ...addressOf(key), startedAt };
  if (idle !== undefined) {
    const due = idle.due === undefined ? '' : ` until ${new Date(idle.due).toISOString()}`;
    const what = idle.state === 'sleeping' ? `the time${due}` : `${idle.waitingFor ?? ''}${due}`;
    return {
      ...base,
      state: parked ? 'parked' : idle.state,
      since: idle.since,
      waitingFor: idle.state === 'parked' ? 'a person' : what,
      error: shown(idle.error),
    };
  }
  const open = story.steps.filter(({ state }) => state === 'open');
  const nothingYet = story.steps.length === 0 ? 'its turn' : undefined;
  const waitingFor = open.length === 0 ? nothingYet : open.map(openText).slice(0, 3).join(', ');
  const state: SagaState = parked ? 'parked' : stopped === undefined ? stateOf(open) : 'compensating';
  return { ...base, state, since: last, waitingFor: parked ? 'a person' : waitingFor, error: undefined };
}

function stateOf(open: readonly StoryStep[]): SagaState {
  if (open.length === 0) return 'running';
  if (open.every(({ step }) => step === 'sleep')) return 'sleeping';
  return open.every(({ step }) => step === 'sleep' || /^(wait for|run) /.test(step)) ? 'waiting' : 'running';
}

function openText({ step, due }: StoryStep): string {
  const until = due === undefined ? '' : ` until ${new Date(due).toISOString()}`;
  return step === 'sleep' ? `the time${until}` : `${step.replace(/^wait for /, '')}${until}`;
}

function addressOf(key: string): { readonly name: string; readonly id: string } {
  const slash = key.indexOf('/');
  return { name: key.slice(0, slash), id: key.slice(slash + 1) };
}

/** The timeline of a history. */
export function storyOf(entries: readonly SagaEntry[]): SagaStory {
  const steps = new Map<string, StoryStep>();
  const turns: StoryTurn[] = [];
  const change = (of: number | undefined, step: number, facts: Partial<StoryStep>): void => {
    const key = `${of ?? ''}.${step}`;
    const known = steps.get(key);
    if (known !== undefined) steps.set(key, { ...known, ...facts });
  };
  for (const entry of entries) {
    if ('begun' in entry) {
      const { of, step, at, due } = entry;
      const open = { step, at, of, due, ms: undefined, state: 'open' as const };
      steps.set(`${of ?? ''}.${entry.begun}`, { ...open, value: undefined, error: undefined, event: undefined });
    } else if ('done' in entry) {
      const { of, at, value, error, event } = entry;
      const begunAt = steps.get(`${of ?? ''}.${entry.done}`)?.at ?? at;
      const state = error === undefined ? ('done' as const) : ('failed' as const);
      change(of, entry.done, { ms: at - begunAt, state, value, error: shown(error), event });
    } else if ('told' in entry) {
      const begunAt = steps.get(`${entry.of ?? ''}.${entry.told}`)?.at ?? entry.at;
      change(entry.of, entry.told, { ms: entry.at - begunAt, state: 'told' });
    } else if ('stopped' in entry) {
      turns.push({ at: entry.at, what: `stopped, because it ${REASONS[entry.stopped]}: ${entry.error.message}` });
    } else if ('compensated' in entry) {
      const how = entry.discarded === true ? 'given up by hand' : 'done';
      turns.push({ at: entry.at, what: `compensation ${entry.compensated} "${entry.name}" is ${how}` });
    } else if ('parked' in entry) {
      turns.push({
        at: entry.at,
        what: `compensation ${entry.parked} "${entry.name}" is parked: ${entry.error.message}`,
      });
    }
  }
  return { steps: [...steps.values()], turns };
}
