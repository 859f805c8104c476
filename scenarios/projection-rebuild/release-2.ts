/** The second release: the read model has another version. */
export { meter, usageByDayWithChecksum } from './meter.js';
