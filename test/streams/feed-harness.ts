/** A journal in memory with a window and feeds on it, and a quick way to commit events. */
import { encodeCommand, encodeEvent, encodeEventType, encodeStream } from '../../src/journal/event-codec.js';
import type { CommittedEvents, JournalEntry, Stream } from '../../src/journal/journal.js';
import { MemoryJournal } from '../../src/journal/memory-journal.js';
import { EventWindow } from '../../src/streams/event-window.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';

export class FeedHarness {
  readonly journal: MemoryJournal;
  window: EventWindow;
  readonly #streams = new Map<string, Promise<Stream>>();
  readonly #limits: { readonly maxEvents: number; readonly maxCharacters: number };

  constructor(maxEvents: number, maxCharacters = 1_000_000) {
    this.journal = new MemoryJournal({ clock: new ManualClock() });
    this.#limits = { maxEvents, maxCharacters };
    this.window = new EventWindow(0, this.#limits);
    this.journal.onCommit = (committed: CommittedEvents) => this.window.add(committed);
  }

  /** As after a start: the window knows the head, and none of the events. */
  reopen(): void {
    this.window = new EventWindow(this.journal.head, this.#limits);
  }

  /** Appends `count` events of one aggregate as one entry; resolves when it is committed. */
  async commit(id: string, count: number, type = 'made', data: unknown = null): Promise<void> {
    let loading = this.#streams.get(id);
    if (loading === undefined) {
      loading = this.journal.load('thing', id, undefined).then((loaded) => loaded.stream);
      this.#streams.set(id, loading);
    }
    const stream = await loading;
    const head = encodeStream('thing', id);
    const command = encodeCommand('c', 'c', null, undefined);
    const definition = { text: encodeEventType(type, 1) };
    const texts = Array.from({ length: count }, (_, i) =>
      encodeEvent(
        head,
        command,
        stream.head + i + 1,
        { definition, dataText: JSON.stringify(data), id: undefined },
        'null',
      ),
    );
    await new Promise<void>((resolve, reject) => {
      const entry: JournalEntry = {
        stream,
        baseVersion: stream.head,
        events: texts.join(','),
        eventCount: count,
        commandId: 'c',
        commandHash: 0,
        eventlessOutcome: undefined,
        snapshot: undefined,
        committed: () => resolve(),
        failed: reject,
      };
      this.journal.append(entry);
    });
  }
}
