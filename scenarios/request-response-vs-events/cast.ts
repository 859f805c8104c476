/** Both shops, and the bank. */
export { bank } from './bank.js';
export { carrier, desk, warehouse } from './by-asks.js';
export { chargeCustomer, purchase, reserveGoods, sendParcel } from './by-events.js';
