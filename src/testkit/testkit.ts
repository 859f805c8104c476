/** Everything public of `troupe/testkit`: tools for tests, which need no test framework and know of none. */
export { ManualClock } from './manual-clock.js';
export { given, type Given, type GivenEvent, type WhenOptions } from './given.js';
export type { Expectations, ExpectedEvent } from './expectations.js';
export type { CommandOutcome } from './command-outcome.js';
export type { ProbeRef } from './probe-messages.js';
export { type ProbeMessages, probeActor, type ReceivedMessage } from './probe-actor.js';
export { type ProbeOptions, type ProbeSource, TestProbe, type Waiting } from './test-probe.js';
