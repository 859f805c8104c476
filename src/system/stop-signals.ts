/**
 * Stopping on a signal of the operating system, for programs that ask for it (`signals: ['SIGTERM']`).
 *
 * The first signal stops the system; when that is done, and nobody else listens to the signal, it is sent again, so
 * that the process ends by it as it would have without us: with status 143 for SIGTERM. A second signal meanwhile ends
 * the process at once. Several systems in one process each stop, and the last one sends it.
 */

/** Signals that mean: come to an end. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGBREAK'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** Systems of this process that a signal has begun to stop. */
let stopping = 0;

/** Listens until `release` is called, which lets go of the process. */
export function stopOnSignals(signals: readonly StopSignal[], stop: () => Promise<unknown>): { release(): void } {
  let received: StopSignal | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    // Only for these signals there is a listener.
    received ??= signal as StopSignal;
    for (const one of signals) process.off(one, listener);
    stopping += 1;
    // A system that can't stop still ends by the signal.
    void stop().finally(() => {
      stopping -= 1;
      if (stopping > 0 || received === undefined) return;
      if (process.listenerCount(received) === 0) process.kill(process.pid, received);
    });
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    release() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
