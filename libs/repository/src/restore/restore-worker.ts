import { parentPort, workerData } from 'node:worker_threads';
import { isAppError, messageOf } from '#kernel';
import { contentWriter, type FileTicket } from '#sources';
import { checkChunk } from '../format/chunk-id.ts';
import { damaged, isDamage } from '../format/damage.ts';
import { decodeFrame, frameCipher, type FrameCipher } from '../format/frame.ts';
import { keyFrom } from '../format/keys.ts';
import { release } from '../format/release.ts';
import { type ContentJob, type FrameToDecode, type FromRestoreWorker, type RestoreFailure, type RestoreWorkerData, targetColumns, type ToRestoreWorker } from './restore-messages.ts';

/** Opens, decompresses, checks and writes, away from the event loop of the main thread. */
const data = workerData as RestoreWorkerData;
const port = parentPort;
if (!port) throw new Error('This file is the entry of a worker thread');

const send = (message: FromRestoreWorker): void => port.postMessage(message);
const writer = contentWriter(data.rootFd);
const ciphers = new Map<string, FrameCipher>();

const failureOf = (at: number, error: unknown): RestoreFailure => {
  if (isAppError(error)) return { at, damage: isDamage(error), code: error.code, detail: error.detail };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return { at, damage: false, code: code === '' ? 'write-failed' : code, detail: messageOf(error) };
};

const decode = (job: ContentJob, frame: FrameToDecode): Uint8Array => {
  const cipher = ciphers.get(frame.keyId);
  if (!cipher) throw damaged('frame-damaged', `The key ${frame.keyId} of a frame is not at hand`);
  return decodeFrame(cipher, frame, new Uint8Array(job.bytes, frame.at, frame.length));
};

const writeTarget = (job: ContentJob, row: number, frame: FrameToDecode, plain: Uint8Array): void => {
  const at = row * targetColumns;
  // Not taken apart as a list, which costs more than all the rest here.
  const column = (index: number): number => job.targets[at + index] as number;
  const [offset, length] = [column(1), column(2)];
  const ticket = job.tickets[column(0)] as FileTicket;
  const chunk = plain.subarray(offset, offset + length);
  checkChunk(frame.class, job.ids.subarray(row * 32, row * 32 + 32), chunk, data.chunkIdKey);
  if (column(4) === 1) writer.writeAll(ticket, [chunk]);
  else writer.write(ticket, chunk, column(3));
};

const doContent = (job: ContentJob): RestoreFailure[] => {
  const failures: RestoreFailure[] = [];
  let row = 0;
  for (const frame of job.frames) {
    const end = row + frame.targets;
    let plain: Uint8Array | undefined;
    let broken: unknown;
    try {
      plain = decode(job, frame);
    } catch (error) {
      broken = error;
    }
    for (; row < end; row++) {
      try {
        if (!plain) throw broken;
        writeTarget(job, row, frame, plain);
      } catch (error) {
        failures.push(failureOf(row, error));
      }
    }
    if (plain) release(plain);
  }
  release(new Uint8Array(job.bytes));
  return failures;
};

const forTickets = (tickets: readonly FileTicket[], act: (ticket: FileTicket) => void): RestoreFailure[] => {
  const failures: RestoreFailure[] = [];
  tickets.forEach((ticket, at) => {
    try {
      act(ticket);
    } catch (error) {
      failures.push(failureOf(at, error));
    }
  });
  return failures;
};

const work = (message: Exclude<ToRestoreWorker, { type: 'key' | 'close' }>): RestoreFailure[] => {
  switch (message.type) {
    case 'content': return doContent(message);
    case 'empty': return forTickets(message.tickets, (ticket) => writer.writeAll(ticket, []));
    case 'complete': return forTickets(message.tickets, (ticket) => writer.complete(ticket));
    case 'discard': return forTickets(message.tickets, (ticket) => writer.discard(ticket));
  }
};

port.on('message', (message: ToRestoreWorker) => {
  if (message.type === 'key') {
    ciphers.set(message.keyId, frameCipher(data.repositoryId, keyFrom(message.key)));
  } else if (message.type === 'close') {
    writer.close();
    send({ type: 'closed' });
  } else {
    send({ type: 'done', job: message.job, failures: work(message) });
  }
});
