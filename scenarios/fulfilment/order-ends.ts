/** How orders of the shop may end: consistently, or not; told from the events of a journal alone. */
import type { ActorSystem, RecordedEvent } from 'troupe';

/** What one order has left behind. */
export interface OrderEnd {
  readonly id: string;
  readonly cancelled: string | undefined;
  /** Pieces set aside and not given back, and pieces ordered. */
  readonly heldPieces: number;
  readonly orderedPieces: number;
  /** Mills taken and not given back, and mills that the order comes to. */
  readonly paidMills: number;
  readonly totalMills: number;
  /** Parcels that left and were not called back. */
  readonly parcels: number;
  readonly mails: readonly string[];
}

/** The ends of all orders, by id. */
export async function endsOf(system: ActorSystem): Promise<Map<string, OrderEnd>> {
  const ends = new Map<string, OrderEnd>();
  const change = (id: string, by: (end: OrderEnd) => Partial<OrderEnd>): void => {
    const end = ends.get(id) ?? {
      id,
      cancelled: undefined,
      heldPieces: 0,
      orderedPieces: 0,
      paidMills: 0,
      totalMills: 0,
      parcels: 0,
      mails: [],
    };
    ends.set(id, { ...end, ...by(end) });
  };
  for await (const event of system.readAll()) apply(event, change);
  for (const [id, end] of ends) if (end.orderedPieces === 0) ends.delete(id);
  return ends;
}

type Change = (id: string, by: (end: OrderEnd) => Partial<OrderEnd>) => void;

function apply({ type, aggregateId: id, data }: RecordedEvent, change: Change): void {
  // The data of the shop's own events, by type.
  const facts = data as {
    readonly lines: readonly { readonly quantity: number }[];
    readonly totalMills: number;
    readonly reason: string;
    readonly orderId: string;
    readonly quantity: number;
    readonly amountMills: number;
    readonly template: string;
    readonly about: string;
  };
  switch (type) {
    case 'order.created': {
      const orderedPieces = facts.lines.reduce((sum, { quantity }) => sum + quantity, 0);
      return change(id, () => ({ orderedPieces, totalMills: facts.totalMills }));
    }
    case 'order.cancelled':
      return change(id, () => ({ cancelled: facts.reason }));
    case 'stock.reserved':
      return change(facts.orderId, (end) => ({ heldPieces: end.heldPieces + facts.quantity }));
    case 'stock.released':
      return change(facts.orderId, (end) => ({ heldPieces: end.heldPieces - facts.quantity }));
    case 'payment.processed':
      return change(id, (end) => ({ paidMills: end.paidMills + facts.amountMills }));
    case 'payment.voided':
      return change(id, (end) => ({ paidMills: end.paidMills - facts.amountMills }));
    case 'order.shipped':
      return change(id, (end) => ({ parcels: end.parcels + 1 }));
    case 'shipment.recalled':
      return change(id, (end) => ({ parcels: end.parcels - 1 }));
    case 'email.sent':
      return change(facts.about, (end) => ({ mails: [...end.mails, facts.template] }));
    default:
  }
}

/** What is wrong with the end of an order; undefined when it is one that the business allows. */
export function faultOf(end: OrderEnd): string | undefined {
  const is = (what: string, actual: unknown, expected: unknown): string | undefined =>
    actual === expected ? undefined : `${end.id}: ${what} is ${String(actual)} instead of ${String(expected)}`;
  const mailsOf = (template: string): number => end.mails.filter((mail) => mail === template).length;
  if (end.cancelled === undefined) {
    return (
      is('pieces held', end.heldPieces, end.orderedPieces) ??
      is('money taken', end.paidMills, end.totalMills) ??
      is('parcels', end.parcels, 1) ??
      is('mails of the parcel', mailsOf('order-shipped'), 1) ??
      is('mails of a cancellation', mailsOf('order-cancelled'), 0)
    );
  }
  return (
    is('pieces held', end.heldPieces, 0) ??
    is('money taken', end.paidMills, 0) ??
    is('parcels', end.parcels, 0) ??
    is('mails of a cancellation', mailsOf('order-cancelled'), 1)
  );
}
