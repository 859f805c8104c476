/**
 * Help for one scenario: what it is about, how to run it, its options and the common ones.
 */
import {
  commonOptions,
  optionFlag,
  type ScenarioDefinition,
  type ScenarioOptionSpec,
  type ScenarioOptionSpecs,
} from './define-scenario.js';
import { placeholderOf, shortOf } from './option-parser.js';
import { type Look, purposeLines } from './scenario-story.js';
import { wrapText } from './terminal.js';

const LONGEST_FLAG = 26;

/** What the exit code says; the same for every scenario. */
export const EXIT_CODES: readonly string[] = [
  '0    every check holds',
  '1    a check fails, there is none, or the scenario throws',
  '2    bad input; the message says what to do',
  '130  ended by Ctrl-C; 143: by SIGTERM',
];

/** The help of a scenario; `command` is how it is started, such as `troupe run shop.js`. */
export function helpLines(scenario: ScenarioDefinition, command: string, look: Look): string[] {
  const { palette } = look;
  const own = Object.keys(scenario.options).length > 0;
  return [
    `${palette.bold(scenario.title)}  ${palette.dim(scenario.name)}`,
    '',
    ...purposeLines(scenario, look),
    '',
    palette.bold('Usage'),
    `  ${command} [options]`,
    ...(own ? ['', palette.bold('Options of this scenario'), ...optionLines(scenario.options, look)] : []),
    '',
    palette.bold('Options of every scenario'),
    ...optionLines(commonOptions(scenario), look),
    '',
    palette.bold('Exit code'),
    ...EXIT_CODES.map((line) => `  ${line}`),
  ];
}

/** A table of options: flags to the left, their descriptions wrapped to the right. */
export function optionLines(specs: ScenarioOptionSpecs, { width, palette }: Look): string[] {
  const rows = Object.entries(specs).map(([key, spec]) => ({ flag: flagText(key, spec), text: descriptionText(spec) }));
  return tableLines(rows, { width, palette });
}

/** Two aligned columns, the right one wrapped. */
export function tableLines(
  rows: readonly { readonly flag: string; readonly text: string }[],
  { width, palette }: Look,
): string[] {
  const flagWidth = Math.min(LONGEST_FLAG, Math.max(0, ...rows.map(({ flag }) => flag.length)));
  const indent = ' '.repeat(flagWidth + 4);
  return rows.flatMap(({ flag, text }) => {
    const lines = wrapText(text, Math.max(20, width - indent.length));
    const left = `  ${palette.accent(flag.padEnd(flagWidth))}  `;
    if (flag.length > flagWidth) return [left.trimEnd(), ...lines.map((line) => indent + line)];
    return lines.map((line, index) => (index === 0 ? left : indent) + line);
  });
}

function flagText(key: string, spec: ScenarioOptionSpec): string {
  const short = shortOf(key, spec);
  const flag = `${short === undefined ? '' : `-${short}, `}--${optionFlag(key)}`;
  return spec.type === 'boolean' ? flag : `${flag} ${placeholderOf(spec)}`;
}

function descriptionText(spec: ScenarioOptionSpec): string {
  if (spec.default === undefined || spec.default === false) return spec.description;
  return `${spec.description} (default: ${spec.default})`;
}
