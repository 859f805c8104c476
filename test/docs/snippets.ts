/**
 * The code in documents: fenced blocks of Markdown, and `@example` blocks of docstrings, with the line they begin on.
 *
 * A block whose first line is a comment with a file name (`// bank.js`, `-- bank.db`) belongs to that file: it is a
 * whole program, or a query of the journal that a program has left. All other code is a fragment.
 */

/** A piece of code, as it stands in a document. */
export interface Snippet {
  /** Path of the document, from the root of the repository. */
  readonly file: string;
  /** Line of the document on which the code begins, from 1. */
  readonly line: number;
  /** What stands behind the fence, such as `ts`; for examples of docstrings `ts`. */
  readonly language: string;
  readonly code: string;
  /** The file that the code belongs to, if its first line names one. */
  readonly name: string | undefined;
  /** What a `text` block right behind the code says it prints. */
  readonly output: string | undefined;
}

/** The fenced blocks of a Markdown text. */
export function fencedBlocks(file: string, text: string): Snippet[] {
  const lines = text.split('\n');
  const blocks: (Snippet & { readonly end: number })[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const opening = /^```(\w*)$/.exec(lines[at] ?? '');
    if (opening === null) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`${file}:${at + 1}: the block is never closed`);
    const code = lines.slice(at + 1, end).join('\n');
    blocks.push({ ...snippet(file, at + 2, opening[1] ?? '', code), end });
    at = end;
  }
  return blocks.map(({ end, ...block }, index) => {
    const next = blocks[index + 1];
    const follows = next?.language === 'text' && lines.slice(end + 1, next.line - 2).every((line) => line === '');
    return follows ? { ...block, output: next.code } : block;
  });
}

/** The `@example` blocks of a TypeScript source; each ends with the next tag, or the comment. */
export function docExamples(file: string, text: string): Snippet[] {
  const lines = text.split('\n');
  const examples: Snippet[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    if (!/^ *\* @example$/.test(lines[at] ?? '')) continue;
    const code: string[] = [];
    for (let next = at + 1; !/^ *\*(\/| @)/.test(lines[next] ?? '*/'); next += 1) {
      code.push((lines[next] ?? '').replace(/^ *\* ?/, ''));
    }
    examples.push(snippet(file, at + 2, 'ts', code.join('\n')));
  }
  return examples;
}

function snippet(file: string, line: number, language: string, code: string): Snippet {
  const name = /^(?:\/\/|--) ([\w.-]+\.\w+)$/m.exec(code.split('\n', 1)[0] ?? '')?.[1];
  return { file, line, language, code, name, output: undefined };
}
