import { once } from 'node:events';
import type http from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type https from 'node:https';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { Dial } from '#kernel';
import { collect, collectHead, collectRange, lengthOf } from '../bytes.ts';
import { objectTooLarge } from '../store-errors.ts';
import type { HttpAnswer, HttpRequest, HttpSend } from './http.port.ts';

const require = createRequire(import.meta.url);

/**
 * Loaded when there is something to send: a folder needs none of it, and imported by name they bring along Node's whole `fetch`, which is a
 * tenth of what it takes to back up a tree that has not changed.
 */
const modules = () => ({
  plain: require('node:http') as typeof http, secure: require('node:https') as typeof https, tls: require('node:tls') as typeof tls,
});

/** How connections are made. */
export interface NodeHttpOptions {
  /** PEM certificates trusted beside the system's own: the installation's CA. */
  readonly ca?: readonly string[];
  /** Connections per host at the same time. Default 16. */
  readonly maxSockets?: number;
  /** Milliseconds without a byte in either direction before a connection is given up. Default 60,000. */
  readonly idleMs?: number;
  /** How connections are opened, when not straight. */
  readonly dial?: Dial;
  /** For tests: certificates are not checked. */
  readonly insecureTls?: boolean;
}

/** What Node's agents are asked with and how they are answered. */
type Asked = http.ClientRequestArgs & ConnectionOptions;
type Made = (error: Error | null, stream: Duplex) => void;

/** What an agent calls in place of opening a connection by itself. */
const through = (dial: Dial, secure: boolean) => (asked: Asked, made?: Made): undefined => {
  dial({ host: asked.host ?? 'localhost', port: Number(asked.port) }).then(
    (socket) => {
      const stream = secure ? modules().tls.connect({ ...asked, socket }) : socket;
      // As Node's agents do with what they open by themselves.
      made?.(null, stream.setTimeout(asked.timeout ?? 0));
    },
    (error: Error) => made?.(error, undefined as never),
  );
};

const sendBody = async (request: ClientRequest, body: readonly Uint8Array[], signal: AbortSignal): Promise<void> => {
  for (const part of body) {
    if (request.destroyed || request.writableEnded) return;
    if (!request.write(part)) await once(request, 'drain', { signal });
  }
  request.end();
};

/** Of an answer that is no success: a code and a sentence. */
const keptOfRefusals = 64 * 1024;

const bodyOf = (response: IncomingMessage, { url, maxBytes, range }: HttpRequest): Promise<Buffer> => {
  const { statusCode = 0 } = response;
  const name = new URL(url).pathname;
  if (statusCode < 200 || statusCode > 299) return collectHead(response, keptOfRefusals);
  if (range && statusCode === 200) return collectRange(name, response, range);
  const most = range?.length ?? maxBytes;
  if (Number(response.headers['content-length']) > most) throw objectTooLarge(name, most);
  return collect(name, response, most);
};

const answerTo = async (request: ClientRequest, call: HttpRequest): Promise<HttpAnswer> => {
  const { body = [], signal } = call;
  // A server may answer, with a refusal, before it has read the body: then the answer counts, not the broken pipe.
  const answered = once(request, 'response', { signal }) as Promise<[IncomingMessage]>;
  const sending = sendBody(request, body, signal);
  sending.catch(() => undefined);
  const [response] = await answered;
  return { status: response.statusCode ?? 0, headers: response.headers, body: await bodyOf(response, call) };
};

/** Node's own agents with these settings, for HTTP and for HTTPS. Whoever asked for them destroys them. */
export const nodeAgents = (options: NodeHttpOptions = {}): { readonly plain: http.Agent; readonly secure: https.Agent } => {
  const settings = { keepAlive: true, maxSockets: options.maxSockets ?? 16, timeout: options.idleMs ?? 60_000 };
  const node = modules();
  const plain = new node.plain.Agent(settings);
  // The default ones are those of Node with those that the operator names in NODE_EXTRA_CA_CERTS.
  const trusted = options.ca ? { ca: [...options.ca, ...node.tls.getCACertificates('default')] } : {};
  const secure = new node.secure.Agent({ ...settings, ...trusted, ...(options.insecureTls ? { rejectUnauthorized: false } : {}) });
  if (options.dial) {
    plain.createConnection = through(options.dial, false);
    secure.createConnection = through(options.dial, true);
  }
  return { plain, secure };
};

/** HTTP and HTTPS with kept-alive connections of Node's own client: bodies are sent from the caller's memory, in parts. */
export const nodeHttp = (options: NodeHttpOptions = {}): HttpSend & { readonly close: () => void } => {
  const { plain, secure } = nodeAgents(options);
  const send = async (call: HttpRequest): Promise<HttpAnswer> => {
    const { method, signal } = call;
    const { range } = call;
    const headers = {
      ...call.headers, ...(call.body ? { 'content-length': String(lengthOf(call.body)) } : {}),
      ...(range ? { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {}),
    };
    const request = call.url.startsWith('https:')
      ? modules().secure.request(call.url, { method, headers, signal, agent: secure })
      : modules().plain.request(call.url, { method, headers, signal, agent: plain });
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
