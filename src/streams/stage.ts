/**
 * A stage of a stream: the part that all operators of this folder have in common.
 *
 * A throw becomes an error of the stream, an error of the source is passed on at once, and a source that emits
 * without a pause is left as soon as nobody listens any more. Stages are lifted as RxJS's own operators are, so that
 * what comes out is as safe as its source (safe-observable.ts).
 */
import { type Observable, type OperatorFunction, type Subscriber, takeWhile } from 'rxjs';

/** What a stage does. */
export interface Stage<In> {
  next(item: In): void;
  /** The source has ended; whoever has nothing left completes `out`. Default: completes it. */
  complete?(): void;
  /** Nobody listens any more: ends timers. */
  stop?(): void;
}

/** An operator from what it does for one subscriber of one source. */
export function stage<In, Out>(
  start: (out: Subscriber<Out>, source: Observable<In>) => Stage<In>,
): OperatorFunction<In, Out> {
  return (source) =>
    source.lift<Out>({
      call(out: Subscriber<Out>, lifted: Observable<In>) {
        try {
          connect(lifted, out, start(out, lifted));
        } catch (error) {
          out.error(error);
        }
      },
    });
}

function connect<In, Out>(source: Observable<In>, out: Subscriber<Out>, working: Stage<In>): void {
  const guarded = (work: () => void): void => {
    try {
      if (!out.closed) work();
    } catch (error) {
      out.error(error);
    }
  };
  out.add(() => working.stop?.());
  out.add(
    source.pipe(takeWhile(() => !out.closed)).subscribe({
      next: (item) => guarded(() => working.next(item)),
      error: (error: unknown) => out.error(error),
      complete: () =>
        guarded(() => {
          if (working.complete === undefined) out.complete();
          else working.complete();
        }),
    }),
  );
}
