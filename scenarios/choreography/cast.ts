/** The choreographed shop as it is, and two more consumers beside it. */
export * from '../../actors/index.js';
export * from './loyalty.js';
