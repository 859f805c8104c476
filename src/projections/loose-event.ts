/**
 * An event of several types whose data can be read without asking for the type first.
 *
 * `key` of a projection gets events of every type; a field that only some of them have reads as undefined in the
 * others, which is what happens at run time, and means "skip". For the compiler only.
 */

/** Each member of a union of events, its data with the fields of the others as absent. */
export type LooseEvent<Event extends { readonly data: unknown }> = Loosen<Event, FieldOf<Event['data']>>;

type Loosen<Event, Field extends PropertyKey> = Event extends { readonly data: infer Data }
  ? Omit<Event, 'data'> & { readonly data: Data & Absent<Data, Field> }
  : never;
type Absent<Data, Field extends PropertyKey> = Data extends object
  ? { readonly [Name in Exclude<Field, keyof Data>]?: undefined }
  : unknown;
type FieldOf<Data> = Data extends readonly unknown[] ? never : Data extends object ? keyof Data : never;
