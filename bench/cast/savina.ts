/** The cast of the suite `savina`: what worker threads import. */
export * from '../savina/concurrency.js';
export * from '../savina/micro.js';
export * from '../savina/parallel.js';
