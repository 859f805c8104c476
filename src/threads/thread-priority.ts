/**
 * Workers give way to the thread of the app where processors are scarce.
 *
 * The app's thread, with the journal's writer and the links on it, is what everybody waits for; with as many workers as
 * processors it would have to queue behind them for each turn and each collection of its garbage. Linux has a priority for
 * each thread, and lowering it takes no right. Elsewhere the call would concern the whole process, and is left out.
 *
 * @see https://man7.org/linux/man-pages/man2/setpriority.2.html, "C library/kernel differences"
 */
import { getPriority, setPriority } from 'node:os';
import { LIMITS } from '../core/limits.js';

/** Lowers the priority of the calling thread, unless somebody has set it lower. Never throws. */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    if (getPriority() < LIMITS.workerNiceness) setPriority(LIMITS.workerNiceness);
  } catch {
    // Where it is forbidden, workers and the app's thread are equals.
  }
}
