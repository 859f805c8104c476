/** The third release: the schema of the sales has changed. */
export { customers, openOrders, salesWithCancelled } from './read-models.js';
export { order } from './shop.js';
