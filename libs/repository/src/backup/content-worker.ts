import { parentPort, workerData } from 'node:worker_threads';
import { frameCipher } from '../format/frame.ts';
import { keyFrom } from '../format/keys.ts';
import { KnownLookup } from '../state/known-lookup.ts';
import { ChunkStore } from './chunk-store.ts';
import { type ContentWorkerData, factsPerFile, type FilesJob, type FromContentWorker, type ToContentWorker } from './content-messages.ts';
import { encodeOutcomes, type FileOutcome } from './file-outcomes.ts';
import { type ContentStream, FileReader } from './file-reader.ts';
import { type MadePack, PackMaker } from './pack-maker.ts';
import { ChunkClaims } from './shared-index.ts';

/** Reads, cuts, hashes, compresses and seals, away from the event loop of the main thread. One job after the other. */
const data = workerData as ContentWorkerData;
const port = parentPort;
if (!port) throw new Error('This file is the entry of a worker thread');

const send = (message: FromContentWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

const freeBuffers: ArrayBuffer[] = [];
let buffersMade = 0;
let onBuffer: ((buffer: ArrayBuffer) => void) | undefined;

/** Two buffers: one is filled while the other is stored. */
const takeBuffer = (bytes: number): Promise<ArrayBuffer> => {
  const free = freeBuffers.pop();
  if (free) return Promise.resolve(free);
  if (buffersMade < 2) {
    buffersMade++;
    return Promise.resolve(new ArrayBuffer(bytes));
  }
  return new Promise((resolve) => {
    onBuffer = resolve;
  });
};

const giveBuffer = (buffer: ArrayBuffer): void => {
  const waiting = onBuffer;
  onBuffer = undefined;
  if (waiting) waiting(buffer);
  else freeBuffers.push(buffer);
};

const sendPack = (pack: MadePack): void => {
  Atomics.add(new Int32Array(data.closedPacks), data.index, 1);
  send({ type: 'pack', ...pack }, [pack.buffer]);
};

const packs = new PackMaker({
  data: frameCipher(data.repositoryId, keyFrom(data.dataKey)), catalog: frameCipher(data.repositoryId, keyFrom(data.catalogKey)),
  packBytes: data.packBytes, buffer: takeBuffer, onPack: sendPack,
});
const store = new ChunkStore(packs, new KnownLookup(data.known), new ChunkClaims(data.claims), data.chunkIdKey);
const readBytes = new BigInt64Array(data.readBytes);
const reader = new FileReader(store, data.gear, data.chunker, (bytes) => void Atomics.add(readBytes, data.index, BigInt(bytes)));
let stream: ContentStream | undefined;

const readFiles = async (job: FilesJob): Promise<void> => {
  const paths = Buffer.from(job.paths.buffer, job.paths.byteOffset, job.paths.length);
  const outcomes: FileOutcome[] = [];
  let at = 0;
  for (const [index, slot] of job.slots.entries()) {
    const length = paths.readUInt32LE(at);
    const path = paths.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    outcomes.push(await reader.read({ slot, path, facts: job.facts.subarray(index * factsPerFile, (index + 1) * factsPerFile) }));
  }
  send({ type: 'files', number: job.number, outcomes: encodeOutcomes(outcomes) });
};

const takePiece = async (slot: number, piece: Uint8Array | undefined): Promise<void> => {
  stream ??= reader.startStream();
  let rest = piece ?? new Uint8Array(0);
  while (rest.length > 0) {
    const room = stream.room(Math.min(rest.length, 1024 * 1024));
    room.set(rest.subarray(0, room.length));
    rest = rest.subarray(room.length);
    await stream.filled(room.length);
  }
  if (piece) return send({ type: 'stream', slot });
  const references = await stream.end();
  stream = undefined;
  send({ type: 'streamed', outcome: { slot, references, size: 0 } });
};

const work = async (message: Exclude<ToContentWorker, { type: 'buffer' }>): Promise<void> => {
  switch (message.type) {
    case 'files': return readFiles(message);
    case 'chunk': return send({ type: 'chunk', ticket: message.ticket, id: await store.add(message.class, message.plain) });
    case 'stream': return takePiece(message.slot, message.piece);
    case 'finish':
      await store.finish();
      return send({ type: 'finished' });
  }
};

const nextFiles = new Int32Array(data.nextFiles);
const files: FilesJob[] = [];
const others: Exclude<ToContentWorker, FilesJob | { type: 'buffer' }>[] = [];

/** The next job of files that no other reader has begun. */
const claimFiles = (): FilesJob | undefined => {
  for (let job = files.shift(); job; job = files.shift()) {
    if (Atomics.compareExchange(nextFiles, 0, job.number, job.number + 1) === job.number) return job;
  }
  return undefined;
};

/** What others wait for comes before files, of which many are ahead. */
const workOn = async (): Promise<void> => {
  for (let job = others.shift() ?? claimFiles(); job; job = others.shift() ?? claimFiles()) await work(job);
};

let last: Promise<void> = Promise.resolve();

port.on('message', (message: ToContentWorker) => {
  if (message.type === 'buffer') return giveBuffer(message.buffer);
  if (message.type === 'files') files.push(message);
  else others.push(message);
  // A rejection is left unhandled on purpose: it ends the thread, and the pool reports its `error` event.
  last = last.then(workOn);
});
