/**
 * The frame of the tools over a journal file: arguments, help with examples, colours, JSON, exit codes.
 *
 * A tool is a specification and a `run`. Its words begin with the journal, which may also be given by `--journal`;
 * tools with several actions take the action before or behind it. Exit codes: 0 it is so, 1 it is not (a check that
 * fails, nothing found), 2 bad input. With `--json` standard output holds JSON and nothing else.
 */
import { suggestion } from '../core/did-you-mean.js';
import { optionFlag, type ScenarioOptionSpec, type ScenarioOptionValues } from '../scenario/define-scenario.js';
import { parseOptions } from '../scenario/option-parser.js';
import { optionLines, tableLines } from '../scenario/scenario-help.js';
import { EXIT, type ScenarioHost } from '../scenario/scenario-host.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';
import { openTerminal, wrapText } from '../scenario/terminal.js';
import type { Command } from './command.js';
import { Output } from './output.js';

/** An option of a tool; `short` is its letter. */
export type ToolOptionSpec = ScenarioOptionSpec & { readonly short?: string };
export type ToolOptionSpecs = Readonly<Record<string, ToolOptionSpec>>;

/** Options that every tool has. */
export const TOOL_OPTIONS = {
  journal: { type: 'string', placeholder: 'FILE', description: 'the journal, if it is not the first word' },
  json: { type: 'boolean', description: 'print JSON, and nothing else on standard output' },
  help: { type: 'boolean', description: 'show this help' },
} as const satisfies ToolOptionSpecs;

/** `--cast`, for tools that need the code that the journal belongs to. */
export const CAST_OPTION = {
  cast: {
    type: 'string',
    placeholder: 'FILE',
    description: 'the JavaScript module that exports your definitions, as ActorSystem.start gets it',
  },
} as const satisfies ToolOptionSpecs;

/** One of the things a tool does, such as `show` of `dead-letters`. */
export interface ToolAction {
  readonly name: string;
  /** Words behind it, such as `['ID']`. */
  readonly words?: readonly string[];
  readonly summary: string;
}

export interface ToolSpec<S extends ToolOptionSpecs> {
  readonly name: string;
  readonly summary: string;
  /** Paragraphs of its help. */
  readonly about: readonly string[];
  /** Words behind the journal, such as `['AGGREGATE', 'ID']`; with actions those of the action. */
  readonly words?: readonly string[];
  /** The first one is meant when none is named. */
  readonly actions?: readonly ToolAction[];
  readonly options: S;
  /** Command lines behind `troupe`, and what they do. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** What the exit codes 0 and 1 say. */
  readonly exits: { readonly ok: string; readonly failed: string };
  run(call: ToolCall<S>): Promise<number>;
}

/** What a tool was called with. */
export interface ToolCall<S extends ToolOptionSpecs> {
  /** Path of the journal. */
  readonly journal: string;
  /** Words behind the journal; as many as the specification says. */
  readonly words: readonly string[];
  /** Name of the action; empty for a tool without. */
  readonly action: string;
  readonly values: ScenarioOptionValues<S>;
  /** Whether JSON is wanted, and nothing else on standard output. */
  readonly json: boolean;
  readonly out: Output;
  /** Standard error: what went wrong, and what is to be known about the answer. */
  readonly problems: Output;
  readonly host: ScenarioHost;
}

/** Makes a command of a tool. */
export function tool<const S extends ToolOptionSpecs>(spec: ToolSpec<S>): Command {
  const options = { ...spec.options, ...TOOL_OPTIONS };
  return {
    name: spec.name,
    usage: usageOf(spec),
    summary: spec.summary,
    async run(args, host) {
      const { values, words } = parseOptions<ToolOptionSpecs>(options, args);
      const out = new Output(host.stdout, host.env);
      if (values['help'] === true) {
        for (const line of helpLines(spec, host)) out.line(line);
        return EXIT.ok;
      }
      const given = typeof values['journal'] === 'string' ? values['journal'] : undefined;
      const problems = new Output(host.stderr, host.env);
      return spec.run({
        ...readWords(spec, words, given),
        // The table of options has the tool's own.
        values: values as ScenarioOptionValues<S>,
        json: values['json'] === true,
        out,
        problems,
        host,
      });
    },
  };
}

/** Journal, action, and the words behind them. */
function readWords<S extends ToolOptionSpecs>(
  spec: ToolSpec<S>,
  words: readonly string[],
  given: string | undefined,
): Pick<ToolCall<S>, 'journal' | 'action' | 'words'> {
  const left = [...words];
  const { actions = [] } = spec;
  const isAction = (word: string | undefined): boolean => actions.some(({ name }) => name === word);
  let action = isAction(left[0]) ? left.shift() : undefined;
  const journal = given ?? left.shift();
  if (journal === undefined) {
    throw new ScenarioInputError(
      `${spec.name} needs a journal: troupe ${usageOf(spec)}; see troupe ${spec.name} --help`,
    );
  }
  if (action === undefined && isAction(left[0])) action = left.shift();
  const [first] = actions;
  if (action === undefined && first !== undefined) {
    const [word] = left;
    if (word !== undefined) {
      const names = actions.map(({ name }) => name);
      throw new ScenarioInputError(
        `${spec.name} cannot ${word}${suggestion(word, names) || `; it can ${names.join(', ')}`}`,
      );
    }
    action = first.name;
  }
  const wanted = actions.find(({ name }) => name === action)?.words ?? spec.words ?? [];
  const what = action === undefined ? spec.name : `${spec.name} ${action}`;
  const missing = wanted[left.length];
  if (missing !== undefined) {
    throw new ScenarioInputError(
      `${what} needs ${missing}: troupe ${what} JOURNAL ${wanted.join(' ')}; see troupe ${spec.name} --help`,
    );
  }
  const superfluous = left[wanted.length];
  if (superfluous !== undefined) {
    throw new ScenarioInputError(
      `${what} does not know what to do with '${superfluous}': troupe ${what} JOURNAL ${wanted.join(' ')}`.trimEnd(),
    );
  }
  return { journal, action: action ?? '', words: left };
}

function usageOf<S extends ToolOptionSpecs>({ name, words = [], actions = [] }: ToolSpec<S>): string {
  const action = actions.length === 0 ? [] : [`[${actions.map((one) => one.name).join('|')}]`];
  return [name, ...action, 'JOURNAL', ...words, '[options]'].join(' ');
}

function helpLines<S extends ToolOptionSpecs>(spec: ToolSpec<S>, host: ScenarioHost): string[] {
  const look = openTerminal(host.stdout, host.env);
  const { palette, width } = look;
  const { actions = [] } = spec;
  const usages =
    actions.length === 0
      ? [`  troupe ${usageOf(spec)}`]
      : tableLines(
          actions.map(({ name, words = [], summary }) => ({
            flag: ['troupe', spec.name, name, 'JOURNAL', ...words].join(' '),
            text: summary,
          })),
          look,
        );
  return [
    ...wrapText(`${spec.summary.charAt(0).toUpperCase()}${spec.summary.slice(1)}.`, width),
    ...spec.about.flatMap((paragraph) => ['', ...wrapText(paragraph, width)]),
    '',
    palette.bold('Usage'),
    ...usages,
    '',
    palette.bold('Options'),
    ...optionLines({ ...spec.options, ...TOOL_OPTIONS }, look),
    '',
    palette.bold(spec.examples.length === 1 ? 'Example' : 'Examples'),
    ...spec.examples.flatMap(([line, what]) => [`  troupe ${line}`, palette.dim(`      ${what}`)]),
    '',
    palette.bold('Exit code'),
    `  0    ${spec.exits.ok}`,
    `  1    ${spec.exits.failed}`,
    '  2    bad input; the message says what to do',
  ];
}

/** Texts of an option that takes several, parted by commas; undefined when it was not given. */
export function listOf(text: string | undefined, flag: string): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const texts = text.split(',').map((one) => one.trim());
  if (texts.includes('')) {
    throw new ScenarioInputError(`--${optionFlag(flag)} has an empty part in '${text}'; part texts by single commas`);
  }
  return texts;
}

/** A whole number of at least `min`; undefined when the option was not given. */
export function integerOf(value: number | undefined, flag: string, min: number): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min)) return value;
  throw new ScenarioInputError(`--${optionFlag(flag)} takes a whole number from ${min} on; got ${value}`);
}
