/** The first release. */
export { meter, usageByDay } from './meter.js';
