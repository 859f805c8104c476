/** The first release: a write model and two read models. */
export { openOrders, sales } from './read-models.js';
export { order } from './shop.js';
