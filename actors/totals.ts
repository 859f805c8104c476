/**
 * Read model across the services: one row per thing worth counting, `select * from totals`.
 *
 * Pieces are not here: `stock` has them by stock code, and half a million reservations need no second row each.
 */
import { projection } from 'troupe';
import { inventory } from './inventory/inventory.js';
import { email } from './notification/email.js';
import { goodsReturn } from './order/goods-return.js';
import { order } from './order/order.js';
import { ledger } from './payment/ledger.js';
import { payment } from './payment/payment.js';
import { refund } from './payment/refund.js';
import { shipment } from './shipping/shipment.js';
import { user } from './user/user.js';

const METRICS: Readonly<Record<string, readonly string[]>> = {
  'order.created': ['orders', 'orderLines', 'salesMills'],
  'order.cancelled': ['ordersCancelled'],
  'return.accepted': ['returns', 'returnLines'],
  'stock.adjusted': ['stockAdjustments'],
  'payment.processed': ['paymentsProcessed', 'paymentsMills'],
  'payment.declined': ['paymentsDeclined'],
  'payment.voided': ['paymentsVoided', 'voidedMills'],
  'payment.refunded': ['refunds', 'refundsMills'],
  'ledger.adjusted': ['ledgerAdjustments', 'ledgerMills'],
  'order.shipped': ['ordersShipped'],
  'shipment.recalled': ['shipmentsRecalled'],
  'email.sent': ['emailsSent'],
  'user.registered': ['usersRegistered'],
};

const zero = { value: 0 };
const one = (row = zero) => ({ value: row.value + 1 });

export const totals = projection({
  name: 'totals',
  of: [order, goodsReturn, inventory, payment, refund, ledger, shipment, email, user],
  version: 1,
  columns: { metric: 'text primary key', value: 'integer' },
  key: (event) => METRICS[event.type],
  on: {
    'order.created': (row = zero, { data }, metric) => {
      if (metric === 'orderLines') return { value: row.value + data.lines.length };
      return { value: row.value + (metric === 'salesMills' ? data.totalMills : 1) };
    },
    'return.accepted': (row = zero, { data }, metric) => ({
      value: row.value + (metric === 'returnLines' ? data.lines.length : 1),
    }),
    'payment.processed': (row = zero, { data }, metric) => ({
      value: row.value + (metric === 'paymentsMills' ? data.amountMills : 1),
    }),
    'payment.voided': (row = zero, { data }, metric) => ({
      value: row.value + (metric === 'voidedMills' ? data.amountMills : 1),
    }),
    'payment.refunded': (row = zero, { data }, metric) => ({
      value: row.value + (metric === 'refundsMills' ? data.amountMills : 1),
    }),
    'ledger.adjusted': (row = zero, { data }, metric) => ({
      value: row.value + (metric === 'ledgerMills' ? data.amountMills : 1),
    }),
    'order.cancelled': one,
    'payment.declined': one,
    'shipment.recalled': one,
    'stock.adjusted': one,
    'order.shipped': one,
    'email.sent': one,
    'user.registered': one,
  },
});
