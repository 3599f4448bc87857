import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import { collect, lengthOf } from '../bytes.ts';
import type { HttpAnswer, HttpRequest, HttpSend } from './http.port.ts';

/** How connections are made. */
export interface NodeHttpOptions {
  /** PEM certificates trusted beside the system's own: the installation's CA. */
  readonly ca?: readonly string[];
  /** Connections per host at the same time. Default 16. */
  readonly maxSockets?: number;
  /** Milliseconds without a byte in either direction before a connection is given up. Default 60,000. */
  readonly idleMs?: number;
}

const sendBody = async (request: ClientRequest, body: readonly Uint8Array[], signal: AbortSignal): Promise<void> => {
  for (const part of body) {
    if (request.destroyed || request.writableEnded) return;
    if (!request.write(part)) await once(request, 'drain', { signal });
  }
  request.end();
};

const answerTo = async (request: ClientRequest, { body = [], url, maxBytes, signal }: HttpRequest): Promise<HttpAnswer> => {
  // A server may answer, with a refusal, before it has read the body: then the answer counts, not the broken pipe.
  const answered = once(request, 'response', { signal }) as Promise<[IncomingMessage]>;
  const sending = sendBody(request, body, signal);
  sending.catch(() => undefined);
  const [response] = await answered;
  const bytes = await collect(new URL(url).pathname, response, maxBytes);
  return { status: response.statusCode ?? 0, headers: response.headers, body: bytes };
};

/** HTTP and HTTPS with kept-alive connections of Node's own client: bodies are sent from the caller's memory, in parts. */
export const nodeHttp = (options: NodeHttpOptions = {}): HttpSend & { readonly close: () => void } => {
  const settings = { keepAlive: true, maxSockets: options.maxSockets ?? 16, timeout: options.idleMs ?? 60_000 };
  const plain = new http.Agent(settings);
  const secure = new https.Agent({ ...settings, ...(options.ca ? { ca: [...options.ca, ...rootCertificates] } : {}) });
  const send = async (call: HttpRequest): Promise<HttpAnswer> => {
    const { method, signal } = call;
    const headers = call.body ? { ...call.headers, 'content-length': String(lengthOf(call.body)) } : { ...call.headers };
    const request = call.url.startsWith('https:')
      ? https.request(call.url, { method, headers, signal, agent: secure })
      : http.request(call.url, { method, headers, signal, agent: plain });
    request.on('timeout', () => request.destroy(Object.assign(new Error('The connection went silent'), { code: 'ETIMEDOUT' })));
    try {
      return await answerTo(request, call);
    } catch (error) {
      request.destroy();
      throw error;
    }
  };
  return Object.assign(send, { close: () => { plain.destroy(); secure.destroy(); } });
};
