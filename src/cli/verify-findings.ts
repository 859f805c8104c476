/**
 * What `troupe verify` found, by check: the first ones as lines for people, all of them as JSON.
 */
import type { Output } from './output.js';

/** Something that is not as it has to be. */
export interface Finding {
  readonly check: string;
  /** As in the errors of the runtime: what a system would meet, if it met an error. */
  readonly code?: string;
  readonly message: string;
  readonly aggregate?: string;
  readonly id?: string;
  readonly version?: number;
  readonly position?: number;
  readonly type?: string;
  readonly schemaVersion?: number;
}

/** Lines for each check; the rest is counted. */
const SHOWN = 20;

/** Findings kept; beyond these they are only counted, for a journal of millions may be damaged in each event. */
const KEPT = 10_000;

interface CheckResult {
  readonly name: string;
  /** What was looked at, in words. */
  checked: string;
  readonly faults: Omit<Finding, 'check'>[];
  count: number;
}

export class Findings {
  readonly #results = new Map<string, CheckResult>();
  #kept = 0;

  /** A check that is made; it holds as long as nothing is found. */
  expect(name: string, checked = ''): void {
    this.#of(name).checked = checked;
  }

  add({ check, ...fault }: Finding): void {
    const result = this.#of(check);
    result.count += 1;
    if (this.#kept >= KEPT) return;
    this.#kept += 1;
    result.faults.push(fault);
  }

  get ok(): boolean {
    return this.holds([...this.#results.keys()]);
  }

  /** Whether nothing was found by these checks. */
  holds(names: readonly string[]): boolean {
    return names.every((name) => (this.#results.get(name)?.count ?? 0) === 0);
  }

  /** For programs. */
  toJSON(): readonly unknown[] {
    return Array.from(this.#results.values(), ({ name, checked, count, faults }) => ({
      name,
      ok: count === 0,
      checked,
      found: count,
      faults,
    }));
  }

  /** For people. */
  print(out: Output): void {
    const { palette } = out;
    for (const { name, checked, count, faults } of this.#results.values()) {
      const mark = count === 0 ? palette.good('✓') : palette.bad('✗');
      out.line(`${mark} ${name}${checked === '' ? '' : palette.dim(`  ${checked}`)}`);
      for (const { code, message } of faults.slice(0, SHOWN))
        out.line(`    ${code === undefined ? '' : `${palette.bad(code)} `}${message}`);
      if (count > SHOWN)
        out.line(`    … and ${count - SHOWN} more; --json lists ${count > KEPT ? 'most of them' : 'all'}`);
    }
  }

  #of(name: string): CheckResult {
    let result = this.#results.get(name);
    if (result === undefined) {
      result = { name, checked: '', faults: [], count: 0 };
      this.#results.set(name, result);
    }
    return result;
  }
}
