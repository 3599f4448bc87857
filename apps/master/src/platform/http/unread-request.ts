import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Refusal, refuse } from '#kernel';
import { problemOf } from './problem.ts';

const tooLong = refuse('validation', 'request-head-too-large', 'The address or the headers are too long; at most 16 KiB are accepted');
const tooSlow = refuse('validation', 'request-too-slow', 'The request did not arrive in time; send it again');
const notHttp = refuse('validation', 'not-http', 'This is no HTTP request; is the address https:// where the master speaks http://?');

const answers: Readonly<Record<string, readonly [status: number, refusal: Refusal]>> = {
  HPE_HEADER_OVERFLOW: [431, tooLong], ERR_HTTP_REQUEST_TIMEOUT: [408, tooSlow],
};

/** For `clientError` of an HTTP server: problem details for a request that came to nobody, as Node's parser gave it up. Ends the connection. */
export const answerUnread = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, refusal] = answers[error.code ?? ''] ?? [400, notHttp];
  const body = JSON.stringify({ ...problemOf(refusal, '/'), status });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Connection: close', 'Content-Type: application/problem+json; charset=utf-8', `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
};
