/** What runs: both meters. */
export { bareMeter, meter } from './cast.js';
