/** What runs: the accounts of today. */
export { account } from './cast.js';
