/**
 * The cast of the shop as choreography: six services, joined by reactions alone. No service calls another; each states what
 * happened, and whoever cares acts on it.
 *
 * ```
 * order.created ──▶ reserve-stock ──▶ stock.reserved (per line; stock.replenished first when short)
 *   │                    └──▶ order.reserved ──▶ charge-order ──▶ payment.processed
 *   │                                                               └──▶ ship-order ──▶ order.shipped
 *   └──▶ register-customer ──▶ user.registered                                            └──▶ mail-shipped-order ──▶ email.sent
 *
 * out of stock (reserve-stock), payment.declined (cancel-unpaid), shipment.failed (cancel-unshipped), the customer: cancel
 *   order.cancelled ──▶ release-stock ──▶ stock.released (per line)
 *              ├────▶ void-payment ──▶ payment.voided
 *              ├────▶ stop-shipment ──▶ shipment.stopped, or shipment.recalled
 *              └────▶ mail-cancelled-order ──▶ email.sent
 *
 * return.accepted ──▶ restock-return ──▶ stock.returned (per line)
 *              ├────▶ refund-return ──▶ payment.refunded
 *              └────▶ mail-accepted-return ──▶ email.sent
 * ```
 *
 * Corrections come by command: `adjust` of inventory → stock.adjusted, `adjust` of the ledger → ledger.adjusted.
 * The same shop with one coordinator is `orchestrated.ts`. Money is in mills (1/1000 of a pound), times are epoch milliseconds.
 */
export * from './services.js';
export { releaseStock } from './inventory/release-stock.js';
export { reserveStock } from './inventory/reserve-stock.js';
export { restockReturn } from './inventory/restock-return.js';
export { mailAcceptedReturn } from './notification/mail-accepted-return.js';
export { mailCancelledOrder } from './notification/mail-cancelled-order.js';
export { mailShippedOrder } from './notification/mail-shipped-order.js';
export { cancelUnpaid } from './order/cancel-unpaid.js';
export { cancelUnshipped } from './order/cancel-unshipped.js';
export { chargeOrder } from './payment/charge-order.js';
export { refundReturn } from './payment/refund-return.js';
export { voidPayment } from './payment/void-payment.js';
export { shipOrder } from './shipping/ship-order.js';
export { stopShipment } from './shipping/stop-shipment.js';
export { registerCustomer } from './user/register-customer.js';
