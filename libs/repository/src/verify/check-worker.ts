import { parentPort } from 'node:worker_threads';
import { checkPack, type PackCheck } from './check-pack.ts';

/** Checks one pack after the other, away from the event loop of the main thread. */
const port = parentPort;
if (!port) throw new Error('This file is the entry of a worker thread');
port.on('message', (check: PackCheck) => {
  port.postMessage(checkPack(check));
});
