/**
 * A value that changes, to be watched: as an Observable, or pulled by `for await`, at the consumer's own pace.
 *
 * Who pulls gets the newest value there is, or waits for the next; what came in between while it was busy is left
 * out. So a slow consumer costs one value, and never a queue.
 */
import type { Observable } from 'rxjs';
import { SafeObservable } from './safe-observable.js';

/** An Observable that `for await` takes too: each turn of such a loop gets the newest value. */
export interface LiveValues<T> extends Observable<T>, AsyncIterable<T> {}

export class LiveObservable<T> extends SafeObservable<T> implements LiveValues<T> {
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let newest: { readonly value: T } | undefined;
    let failure: { readonly error: unknown } | undefined;
    let ended = false;
    let wake: () => void = nothing;
    const subscription = this.subscribe({
      next: (value) => {
        newest = { value };
        wake();
      },
      error: (error: unknown) => {
        failure = { error };
        wake();
      },
      complete: () => {
        ended = true;
        wake();
      },
    });
    // What the callbacks above have set; the compiler thinks that nothing happens to these variables.
    const state = (): { newest: typeof newest; failure: typeof failure; ended: boolean } => ({
      newest,
      failure,
      ended,
    });
    try {
      for (;;) {
        const { newest: next, failure: failed, ended: over } = state();
        newest = undefined;
        if (next !== undefined) yield next.value;
        else if (failed !== undefined) throw failed.error;
        else if (over) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      subscription.unsubscribe();
    }
  }
}

function nothing(): void {
  // Nobody waits yet.
}
