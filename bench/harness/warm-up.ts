/**
 * Warm-up by processor time: the compiler has its time when the processor has worked, not when the clock has run.
 *
 * On a busy machine 100 ms on the clock may be 20 ms of work, and what is measured then is half-compiled code: an ask
 * took 3.4 µs of processor time instead of 0.96, its much shorter baseline 0.39 instead of 0.33, so the ratio was
 * wrong as well. Work that mostly waits for the disk is given up on after some times the clock time.
 */

/** Times the warm-up on the clock after which work counts as warm however little of the processor it used. */
const LONGEST = 10;
/** Asking for the processor time is a system call: not at each operation. */
const LOOK_EVERY_MS = 5;

/** The two times that a warm-up goes by. */
export interface Times {
  /** Milliseconds on the clock. */
  readonly clockMs: () => number;
  /** Microseconds of processor time that this process has used. */
  readonly cpuUs: () => number;
}

const TIMES: Times = {
  clockMs: () => performance.now(),
  cpuUs: () => cpuSince({ user: 0, system: 0 }),
};

/** Begins a warm-up; the function tells whether it is over, and once it is, always. */
export function startWarmUp(warmupMs: number, { clockMs, cpuUs }: Times = TIMES): () => boolean {
  const startedAt = clockMs();
  const cpu = cpuUs();
  let nextLook = startedAt + warmupMs;
  let isWarm = false;
  return () => {
    const now = clockMs();
    if (isWarm || now < nextLook) return isWarm;
    nextLook = now + LOOK_EVERY_MS;
    isWarm = cpuUs() - cpu >= warmupMs * 1_000 || now - startedAt >= warmupMs * LONGEST;
    return isWarm;
  };
}

/** Microseconds of processor time, of all threads of this process, since an earlier reading. */
export function cpuSince(earlier: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(earlier);
  return user + system;
}
