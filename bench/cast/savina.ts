/** The cast of the suite `savina`: what worker threads import. */
export * from '../savina/bank-transaction.js';
export * from '../savina/big.js';
export * from '../savina/bounded-buffer.js';
export * from '../savina/chameneos.js';
export * from '../savina/concurrent-dictionary.js';
export * from '../savina/counting.js';
export * from '../savina/dining-philosophers.js';
export * from '../savina/fibonacci.js';
export * from '../savina/fork-join-creation.js';
export * from '../savina/fork-join-throughput.js';
export * from '../savina/logistic-map.js';
export * from '../savina/n-queens.js';
export * from '../savina/ping-pong.js';
export * from '../savina/sieve.js';
export * from '../savina/thread-ring.js';
