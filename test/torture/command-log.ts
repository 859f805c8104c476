/**
 * What a tortured process says of its commands, and what is known of them afterwards.
 *
 * The process writes a line to a file before it sends a command and one when it has the outcome; the file survives its
 * death. A command without outcome may or may not be in the journal, and is sent again, with its id, in a later round.
 */
import { readFileSync } from 'node:fs';

export type CommandType = 'deposit' | 'split' | 'send' | 'look' | 'refuse';

/** A command, as it is sent, whenever that is. */
export interface SentCommand {
  readonly id: string;
  readonly type: CommandType;
  readonly account: string;
  readonly amount: number;
  readonly to: string;
}

/** One line of the file. */
export type LogLine =
  | readonly ['sent', SentCommand]
  | readonly ['replied', id: string, reply: unknown]
  | readonly ['rejected', id: string, reason: string]
  | readonly ['failed', id: string, code: string]
  | readonly ['ready'];

/** The lines of a file; the last one may be cut, and nothing was acknowledged by it then. */
export function readLog(path: string): LogLine[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  // Written by the process below, a line at a time.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as LogLine);
}

/** A command, and its first outcome as far as it is known. */
export interface KnownCommand extends SentCommand {
  outcome:
    | { readonly kind: 'replied'; readonly reply: unknown }
    | { readonly kind: 'rejected'; readonly reason: string }
    | undefined;
}

/** All commands of one journal. */
export class CommandBook {
  readonly commands = new Map<string, KnownCommand>();
  acknowledged = 0;
  repeats = 0;

  /** Takes what a round has said; returns what contradicts an earlier outcome. */
  take(lines: readonly LogLine[]): string[] {
    const faults: string[] = [];
    for (const line of lines) {
      if (line[0] === 'sent') {
        const [, command] = line;
        if (!this.commands.has(command.id)) this.commands.set(command.id, { ...command, outcome: undefined });
      } else if (line[0] === 'replied' || line[0] === 'rejected') {
        const [kind, id, content] = line;
        const known = this.commands.get(id);
        if (known === undefined) throw new Error(`${id} has an outcome and was never sent`);
        const outcome = kind === 'replied' ? ({ kind, reply: content } as const) : ({ kind, reason: content } as const);
        if (known.outcome === undefined) this.acknowledged += 1;
        else {
          this.repeats += 1;
          if (JSON.stringify(known.outcome) !== JSON.stringify(outcome)) {
            faults.push(`${id} was ${JSON.stringify(known.outcome)} and is now ${JSON.stringify(outcome)}`);
          }
        }
        known.outcome ??= outcome;
      }
    }
    return faults;
  }

  /** Commands without outcome, and some of those that have one, to be sent again. */
  toRepeat(random: () => number): SentCommand[] {
    const again: SentCommand[] = [];
    for (const { outcome, ...command } of this.commands.values()) {
      // Replies and rejections without events are only kept for a while, these are sent again soon or never.
      const isOld = command.type === 'look' || command.type === 'refuse';
      if (outcome === undefined || (!isOld && random() < 20 / this.commands.size)) again.push(command);
    }
    return again;
  }
}
