/**
 * `ofType`: lets events of some types through, and tells the compiler which.
 */
import { filter, type OperatorFunction } from 'rxjs';

/** The members of a union of events that have one of the types; of an event with any type, the event with that type. */
export type OfType<Event extends { readonly type: string }, Type extends string> = Event extends unknown
  ? string extends Event['type']
    ? Event & { readonly type: Type }
    : Event extends { readonly type: Type }
      ? Event
      : never
  : never;

/**
 * Lets only events of these types through; without any type, none.
 *
 * @example
 * system.events.pipe(ofType('order.created', 'order.shipped')).subscribe((event) => console.log(event.type));
 */
export function ofType<Event extends { readonly type: string }, const Type extends Event['type']>(
  ...types: readonly Type[]
): OperatorFunction<Event, OfType<Event, Type>> {
  const wanted: ReadonlySet<string> = new Set(types);
  return filter((event): event is Event & OfType<Event, Type> => wanted.has(event.type));
}
