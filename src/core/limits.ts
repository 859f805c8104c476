/**
 * Every default of the runtime, with its unit and reason. Options fill in from here, in one place each.
 */
export const LIMITS = {
  /** Messages waiting in one mailbox. 10,000 x ~200 B = 2 MB for one instance at worst. */
  mailboxCapacity: 10_000,
  /** Messages that one instance handles before the next one runs, so that a busy one cannot starve its thread. */
  dispatcherThroughput: 64,
  /** Milliseconds of handling before timers and I/O get their turn: a turn of the event loop is 1 % of that. */
  dispatcherRoundMs: 1,
  /** The same for attempts of reactions and for folds. Short against a 20 ms event-loop delay. */
  dispatcherTurnMs: 4,
  /** Milliseconds that an ask waits for its reply, and a send for room. */
  askTimeoutMs: 5_000,
  /** Outcomes without events (rejections, empty replies) remembered for each aggregate. */
  outcomesPerAggregate: 1_000,
  /** Outcomes that a living instance keeps in memory to answer repeats without a read. */
  recentOutcomesPerInstance: 32,
  /** Events found by their given ids that a living instance keeps, to answer repeats of `append` without a read. */
  recentEventsPerInstance: 256,
  /** Milliseconds without a message after which an aggregate leaves memory. */
  passivateAfterMs: 60_000,
  /** Commands of one aggregate decided on events that are still being committed. Bounds what one failure undoes. */
  speculativeCommands: 1_000,
  /** Snapshots kept of one aggregate: the newest and one to fall back on. */
  snapshotsKept: 2,
  /** Backoff of an aggregate that can't be loaded. */
  loadBackoffMinMs: 50,
  loadBackoffMaxMs: 5_000,
  /** Attempts, the first one included, before a reaction parks an event. */
  reactionAttempts: 5,
  reactionBackoffMinMs: 100,
  reactionBackoffMaxMs: 10_000,
  /** Events that one reaction handles at the same time; one of a key. Bounds memory, and what a crash repeats. */
  reactionConcurrency: 256,
  /** Milliseconds between writes of a reaction's checkpoint: what a crash repeats (harmlessly, by deduplication). */
  checkpointEveryMs: 200,
  /** Durable timers kept in memory: those that wake next. 1,000 x ~500 B = 0.5 MB; twice as many for moments. */
  timersInMemory: 1_000,
  /** Durable timers that fire at the same time. Bounds memory when a million fall due at once. */
  timersFiring: 512,
  /** Milliseconds after which the wall clock is looked at again, because it may have jumped. */
  timerLookMs: 1_000,
  /** Backoff of a timer whose owner, or whose journal, fails. */
  timerRetryMinMs: 100,
  timerRetryMaxMs: 5_000,
  /** Attempts to bring the message of a reminder to an aggregate whose handler fails. */
  reminderAttempts: 5,
  reminderBackoffMinMs: 100,
  reminderBackoffMaxMs: 10_000,
  /** Milliseconds for which a timer is put off that no part of this release knows. */
  timerOrphanMs: 3_600_000,
  /** Sagas at work at the same time; those that only sleep or wait don't count. Bounds memory, and what a start repeats. */
  sagaConcurrency: 1_000,
  /** Starts that a rate may name for its time: each is remembered for as long. */
  sagaRateStarts: 100_000,
  /** Milliseconds that a saga stays in memory while it only sleeps or waits. */
  sagaPassivateAfterMs: 60_000,
  /** Milliseconds before its time that a saga which sleeps is read from the journal: some commits of a slow disk. */
  sagaWakeAheadMs: 250,
  /** Sagas in memory that only sleep or wait, before the longest idle ones leave early. 5,000 x ~8 kB = 40 MB. */
  sagasIdleInMemory: 5_000,
  /** Attempts at a step of a saga, or at a compensation, the first one included. */
  sagaAttempts: 5,
  sagaBackoffMinMs: 100,
  sagaBackoffMaxMs: 10_000,
  /** Milliseconds that the function of a step has to end when its saga was stopped; then the compensations run all the same. */
  sagaStepEndMs: 10_000,
  /** Last events of the types that sagas wait for, kept in memory for waits that come late. */
  sagaEventsKept: 16_384,
  /** Milliseconds that the history of a saga is kept after its end: time to ask why. ~3 kB for a saga of ten steps. */
  sagaHistoryMs: 7 * 86_400_000,
  /** Milliseconds between two looks for ended sagas that may be forgotten. */
  sagaForgetEveryMs: 60_000,
  /** Records that are taken away in one write, so that no commit waits long behind it. */
  sagaForgetRecords: 1_000,
  /** Events that a projection folds into one transaction. */
  projectionBatch: 2_000,
  /** Rows that a projection keeps in memory between batches. */
  projectionRowsCached: 10_000,
  /** Milliseconds that a projection may be behind without moving before `health()` calls it ill. */
  projectionStalledMs: 10_000,
  /** Restarts of an actor within the window before its supervisor gives up. */
  childrenMaxRestarts: 3,
  childrenWithinMs: 10_000,
  childrenBackoffMinMs: 50,
  childrenBackoffMaxMs: 5_000,
  /** Share of the backoff that is random, so that many restarts don't fall on one moment. */
  childrenBackoffJitter: 0.2,
  /** Committed events kept in memory for readers near the head. */
  windowEvents: 16_384,
  /** Characters of these events, so that large ones don't fill the memory. 16 M characters are 16 to 32 MB. */
  windowCharacters: 16_000_000,
  /** Events in one page of a read. */
  readPage: 1_000,
  /** Dead letters kept; the oldest give way, and are counted. */
  deadLettersKept: 10_000,
  /** Milliseconds that `stop()` gives to what is under way. */
  stopTimeoutMs: 10_000,
  /** Milliseconds that code of an actor gets when the actor has to end; below what `stop()` has for all of them. */
  actorStopTimeoutMs: 5_000,
  /** Milliseconds that `settled()` and `caughtUp()` wait. */
  settledTimeoutMs: 30_000,
  /** Messages under way from one thread to another before the rest waits. 4,096 x ~200 B = 1 MB for each pair. */
  linkCredits: 4_096,
  /** Messages that wait for these credits before they are refused like those for a full mailbox. */
  linkBacklog: 100_000,
  /** Messages encoded as one frame, an ask counting for four: beyond some hundred a larger one gains nothing. */
  linkFrame: 256,
  /** Calls of `offload` under way or waiting for a pool thread, in one system. */
  offloadBacklog: 10_000,
  /** Milliseconds after which an idle pool thread of `offload` ends. */
  offloadIdleMs: 10_000,
  /** Worker threads of one system: a slip of the keyboard shall not start thousands, each with a heap of its own. */
  workers: 256,
  /** Milliseconds between two looks at the state of the workers, for `metrics()`. */
  workerStatusEveryMs: 250,
  /** Milliseconds between two beats by which a worker shows that its loop turns. */
  pulseEveryMs: 250,
  /** Niceness of worker threads on Linux: a third of a processor's time when the app's thread wants it, else all. */
  workerNiceness: 5,
  /** Milliseconds that a worker has to load the cast. */
  workerStartMs: 30_000,
  /** Milliseconds a worker's loop may be blocked before the worker is replaced. */
  blockedAfterMs: 5_000,
  /** Milliseconds that a worker has to end when it is told to; then its thread is ended. */
  workerEndMs: 1_000,
  /** Milliseconds within which a worker's death counts as early: then the next one starts later and later. */
  workerYoungMs: 2_000,
  workerBackoffMinMs: 20,
  workerBackoffMaxMs: 5_000,
  /** Milliseconds that those messages of one thread get that may have killed a worker, before the others go on. */
  suspectMs: 10_000,
  /** Milliseconds that a worker with too large a heap has to finish what it has begun. */
  retireMs: 2_000,
  /** Milliseconds between two collections that tell whether a heap above its limit is garbage. One takes 10 to 100 ms. */
  heapCollectEveryMs: 1_000,
  /** The soft limit of a heap is at least so many times what the loaded cast takes. */
  heapRoomFactor: 1.25,
  /** V8's own limit of a heap, far above the soft one: reaching it may abort the process. */
  hardHeapFactor: 4,
  hardHeapRoomMb: 256,
  /**
   * MiB of a worker's old generation when nobody has said how large it may be. Below 2 GiB V8 lets a heap grow to twice
   * what lives in it before it collects, above to four times: with each thread a heap of its own, that is too much.
   */
  workerOldGenerationMb: 2_000,
  /** MiB of a worker's young generation: room for what lives from a command to its commit, else it grows old as garbage. */
  workerYoungGenerationMb: 96,
} as const;
