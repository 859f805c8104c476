/** Where the runtime and handlers write what happened: four levels, one line of text, facts as fields. */

/** Facts beside a message; plain data. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A log with levels. Writing never throws, and never waits. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
