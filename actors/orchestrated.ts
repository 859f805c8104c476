/**
 * The cast of the shop as orchestration: the same six services, and two coordinators who know them all.
 *
 * ```
 * order.created ──▶ fulfil-order: reserve each line ▸ confirm ▸ charge ▸ ship ▸ mail
 *                   and back: stop the parcel ◂ void the payment ◂ release the goods ◂ cancel the order ◂ mail
 * return.accepted ──▶ take-back-goods: restock each line ▸ refund ▸ mail
 * ```
 *
 * The customer calls an order off with `system.ref(fulfilOrder, id).cancel('customer')`. Use this cast or `index.ts`,
 * never both on one journal: each would do the work of the other.
 */
export * from './services.js';
export { fulfilOrder } from './fulfilment/fulfil-order.js';
export { takeBackGoods } from './fulfilment/take-back-goods.js';
