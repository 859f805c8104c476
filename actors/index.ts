/**
 * The cast of the shop: six services, joined by reactions alone. No service calls another; each states what
 * happened, and whoever cares acts on it.
 *
 * ```
 * order.created ──▶ reserve-stock ──▶ stock.reserved (per line; stock.replenished first when short)
 *   │                    └──▶ order.reserved ──▶ charge-order ──▶ payment.processed
 *   │                                                               └──▶ ship-order ──▶ order.shipped
 *   └──▶ register-customer ──▶ user.registered                                            └──▶ mail-shipped-order ──▶ email.sent
 *
 * return.accepted ──▶ restock-return ──▶ stock.returned (per line)
 *              ├────▶ refund-return ──▶ payment.refunded
 *              └────▶ mail-accepted-return ──▶ email.sent
 * ```
 *
 * Corrections come by command: `adjust` of inventory → stock.adjusted, `adjust` of the ledger → ledger.adjusted.
 * Money is in mills (1/1000 of a pound), times are epoch milliseconds.
 */
export { inventory } from './inventory/inventory.js';
export { reserveStock } from './inventory/reserve-stock.js';
export { restockReturn } from './inventory/restock-return.js';
export { stock } from './inventory/stock.js';
export { email } from './notification/email.js';
export { mailAcceptedReturn } from './notification/mail-accepted-return.js';
export { mailShippedOrder } from './notification/mail-shipped-order.js';
export { goodsReturn } from './order/goods-return.js';
export { order } from './order/order.js';
export { orders } from './order/orders.js';
export { returns } from './order/returns.js';
export { salesByCountry } from './order/sales-by-country.js';
export { salesByDay } from './order/sales-by-day.js';
export { chargeOrder } from './payment/charge-order.js';
export { ledger } from './payment/ledger.js';
export { payment } from './payment/payment.js';
export { payments } from './payment/payments.js';
export { refund } from './payment/refund.js';
export { refundReturn } from './payment/refund-return.js';
export { shipOrder } from './shipping/ship-order.js';
export { shipment } from './shipping/shipment.js';
export { totals } from './totals.js';
export { registerCustomer } from './user/register-customer.js';
export { user } from './user/user.js';
