/**
 * What another process has used, for arms whose work is done there. Linux tells in /proc; elsewhere all is 0, which
 * rows show as unknown.
 */
import { readFileSync } from 'node:fs';

/** What a process has used so far. */
export interface ProcessUsage {
  /** Greatest resident memory, in megabytes. */
  readonly memoryMb: number;
  /** Processor time of all its threads, in microseconds. */
  readonly cpuUs: number;
}

/** Looks at a process again and again, because nobody can ask once it has ended; the function gives the last look. */
export function watchUsage(pid: number | undefined, everyMs = 50): () => ProcessUsage {
  let usage: ProcessUsage = { memoryMb: 0, cpuUs: 0 };
  const look = (): void => {
    usage = usageOf(pid) ?? usage;
  };
  const looking = setInterval(look, everyMs);
  return () => {
    clearInterval(looking);
    look();
    return usage;
  };
}

/** Linux counts processor time in hundredths of a second. */
const TICK_US = 10_000;
/** Places of user and system time behind the name of the program, which may hold spaces. */
const USER = 11;
const SYSTEM = 12;

function usageOf(pid: number | undefined): ProcessUsage | undefined {
  try {
    const [, peakKb] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    // One that has ended and is not yet fetched has no memory any more.
    if (peakKb === undefined) return undefined;
    return { memoryMb: Number(peakKb) / 1_024, cpuUs: (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_US };
  } catch {
    return undefined;
  }
}
