/** The services and read models of the shop, which both ways of joining them share. */
export { inventory } from './inventory/inventory.js';
export { stock } from './inventory/stock.js';
export { email } from './notification/email.js';
export { goodsReturn } from './order/goods-return.js';
export { order } from './order/order.js';
export { orders } from './order/orders.js';
export { returns } from './order/returns.js';
export { salesByCountry } from './order/sales-by-country.js';
export { salesByDay } from './order/sales-by-day.js';
export { ledger } from './payment/ledger.js';
export { payment } from './payment/payment.js';
export { payments } from './payment/payments.js';
export { refund } from './payment/refund.js';
export { shipment } from './shipping/shipment.js';
export { totals } from './totals.js';
export { user } from './user/user.js';
