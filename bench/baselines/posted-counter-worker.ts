/** The thread of posted-counter.ts. Bytes are batches; anything else is one message. */
import { parentPort } from 'node:worker_threads';
import { Packr } from 'msgpackr';

interface Message {
  readonly seq: number;
  readonly type: 'add' | 'next' | 'total';
  readonly payload: number;
}

const packr = new Packr();
let count = 0;

function take({ seq, type, payload }: Message): void {
  if (type !== 'total') count += payload;
  if (seq > 0) parentPort?.postMessage({ seq, value: count });
}

parentPort?.on('message', (message: Message | Uint8Array) => {
  // Batches are arrays of messages, packed by the other side.
  if (message instanceof Uint8Array) for (const one of packr.unpack(message) as readonly Message[]) take(one);
  else take(message);
});
