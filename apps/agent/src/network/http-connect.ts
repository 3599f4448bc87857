import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { type Endpoint, fault, messageOf } from '#kernel';
import { type Proxy, proxyRefused } from './proxy-url.ts';

const loginOf = ({ user, password }: Proxy): Record<string, string> =>
  user === undefined ? {} : { 'proxy-authorization': `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` };

/** A tunnel through an HTTP proxy (RFC 9110, 9.3.6). The proxy must allow CONNECT to the port: many allow 443 alone. */
export const connectOverHttp = async (proxy: Proxy, { host, port }: Endpoint, signal: AbortSignal): Promise<Socket> => {
  const name = host.includes(':') ? `[${host}]` : host;
  const settings = { host: proxy.host, port: proxy.port, method: 'CONNECT', path: `${name}:${port}`, headers: { host: `${name}:${port}`, ...loginOf(proxy) }, agent: false };
  const request = proxy.kind === 'https' ? https.request(settings) : http.request(settings);
  request.end();
  const [answer, socket, head] = await (once(request, 'connect', { signal }) as Promise<[IncomingMessage, Socket, Buffer]>).catch((cause: unknown) => {
    request.destroy();
    throw fault('unavailable', 'proxy-unreachable', `The proxy ${proxy.shown} cannot be reached (${messageOf(cause)}); look at its address and at the network`, { cause });
  });
  if (answer.statusCode !== 200) {
    socket.destroy();
    throw proxyRefused(proxy, { host, port }, `it answers ${answer.statusCode}${answer.statusCode === 407 ? ', it wants a log-in' : ''}`);
  }
  if (head.length > 0) socket.unshift(head);
  return socket;
};
