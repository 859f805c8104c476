/**
 * Where text for people goes: a stream, its width, and colours if it is to have them.
 *
 * Colour only on a terminal; NO_COLOR turns it off, FORCE_COLOR on (0 or false: off) and wins over NO_COLOR, as in Node itself.
 */

/** What a text stream has to offer; `process.stdout` and any writable stream do. */
export type TextStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** The environment variables that matter here, and others. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Puts colour on a text, or leaves it as it is. */
export interface Palette {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly accent: (text: string) => string;
}

/** A stream for people to read. */
export interface Terminal {
  readonly stream: TextStream;
  /** Whether a person sits at the other end. */
  readonly interactive: boolean;
  readonly palette: Palette;
  /** Characters in a line, between 40 and 100: longer lines are hard to read. */
  readonly width: number;
  /** Writes one line. */
  line(text?: string): void;
}

const NARROWEST = 40;
const WIDEST = 100;

/** Makes a stream one for people. */
export function openTerminal(stream: TextStream, env: Environment): Terminal {
  const interactive = stream.isTTY === true;
  return {
    stream,
    interactive,
    palette: wantsColour(interactive, env) ? COLOURED : PLAIN,
    get width() {
      return Math.min(WIDEST, Math.max(NARROWEST, stream.columns ?? WIDEST));
    },
    line(text = '') {
      stream.write(`${text}\n`);
    },
  };
}

/** Breaks a text into lines of at most `width` characters, at its spaces. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function wantsColour(interactive: boolean, env: Environment): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = env;
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return interactive && term !== 'dumb';
}

const asItIs = (text: string): string => text;

const PLAIN: Palette = { bold: asItIs, dim: asItIs, good: asItIs, bad: asItIs, accent: asItIs };

const COLOURED: Palette = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
  accent: (text) => `\u001b[36m${text}\u001b[39m`,
};
