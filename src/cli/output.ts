/**
 * What a tool prints: lines for people or JSON for programs, on a stream whose reader may leave at any time.
 *
 * `| head` closes the pipe while there is more to say: then `closed` is true, and the tool ends quietly and well. What
 * people see has no control characters in it: an id or a text of the data must not steer their terminal.
 */
import { openTerminal, type Environment, type Palette, type TextStream } from '../scenario/terminal.js';

export class Output {
  readonly palette: Palette;
  /** Whether a person sits at the other end. */
  readonly interactive: boolean;
  readonly #stream: TextStream;

  constructor(stream: TextStream, env: Environment) {
    const { palette, interactive } = openTerminal(stream, env);
    this.#stream = stream;
    this.palette = palette;
    this.interactive = interactive;
  }

  /** Characters in a line of a terminal; elsewhere lines are as long as they need to be. */
  get width(): number {
    return this.interactive ? Math.max(40, this.#stream.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  /** Whether nobody reads any more. */
  get closed(): boolean {
    return !this.#stream.writable;
  }

  /** One line for people. */
  line(text = ''): void {
    this.#write(text);
  }

  /** One value for programs, as one line of JSON. */
  json(value: unknown): void {
    this.#write(JSON.stringify(value));
  }

  /** Resolves when what was written has left, so that a slow reader holds one page and not all of them. */
  async drained(): Promise<void> {
    if (this.closed) return;
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => resolve());
    });
  }

  #write(text: string): void {
    if (!this.closed) this.#stream.write(`${text}\n`);
  }
}

/** A text without control characters, on one line: these stand as JSON writes them. */
export function printable(text: string): string {
  // Also those from U+007F on, which some terminals obey.
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    const escaped = JSON.stringify(char).slice(1, -1);
    return escaped === char ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped;
  });
}

/** A JSON value on one line, as people may see it. */
export function compact(value: unknown): string {
  return value === undefined ? '' : printable(JSON.stringify(value));
}

/** Epoch milliseconds as people read them, in UTC: `2011-12-05 10:15:00.000`. */
export function timeText(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15
    ? new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
    : String(ms);
}
