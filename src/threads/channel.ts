/** Channels between threads; the only door to `node:worker_threads` for other folders. */
export { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
