/**
 * The trade of the shop in `actors/`, as the events of a year have it: most are reservations of stock, one in thirty is
 * an order. Its five read models are what the suite `projections` rebuilds.
 */
import type { ActorSystem } from 'troupe';
import { email, inventory, order, payment, shipment } from '../../actors/services.js';

export { email, goodsReturn, inventory, order, payment, shipment, user } from '../../actors/services.js';
export { orders, payments, salesByCountry, salesByDay, stock } from '../../actors/services.js';

const SKUS = 4_000;
const LINES = 25;
const COUNTRIES = ['United Kingdom', 'Germany', 'France', 'EIRE', 'Spain', 'Norway'];
const DAY_MS = 86_400_000;
/** Orders whose events are on their way at the same time. */
const TOGETHER = 20;

/** Writes the events of so many orders, 30 each; they are made up, and the same each time. */
export async function trade(system: ActorSystem, count: number): Promise<void> {
  let seed = 1;
  const draw = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return seed % below;
  };
  const one = async (number: number): Promise<void> => {
    const id = `${536_000 + number}`;
    const customerId = `${12_000 + draw(4_000)}`;
    const country = COUNTRIES[draw(COUNTRIES.length)] ?? 'EIRE';
    const lines = Array.from({ length: LINES }, () => ({
      // Some codes are in every other order, most are rare.
      sku: `${20_000 + draw(1 + draw(SKUS))}`,
      quantity: 1 + draw(24),
      priceMills: 100 + draw(5_000),
    }));
    const totalMills = lines.reduce((sum, { quantity, priceMills }) => sum + quantity * priceMills, 0);
    const orderedAt = 1_291_188_000_000 + Math.floor(number / 55) * DAY_MS;
    await system.append(order, id, [
      { type: 'order.created', data: { customerId, country, lines, orderedAt, totalMills } },
    ]);
    await Promise.all(
      lines.map(({ sku, quantity }, i) =>
        system.append(inventory, sku, [
          { type: 'stock.reserved', data: { orderId: id, line: i + 1, quantity, onHand: 1_000 - quantity } },
        ]),
      ),
    );
    await system.append(order, id, [{ type: 'order.reserved', data: { customerId, country, totalMills } }]);
    await system.append(payment, id, [
      { type: 'payment.processed', data: { customerId, country, amountMills: totalMills } },
    ]);
    await system.append(shipment, id, [{ type: 'order.shipped', data: { customerId, country } }]);
    await system.append(email, `shipped-${id}`, [
      { type: 'email.sent', data: { to: customerId, template: 'order-shipped', about: id } },
    ]);
  };
  for (let done = 0; done < count; done += TOGETHER) {
    await Promise.all(Array.from({ length: Math.min(TOGETHER, count - done) }, (_, i) => one(done + i)));
  }
}
