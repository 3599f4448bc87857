import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitUntil } from '#testing';
import { BusTransport, openConnection } from './open-connection.ts';

const greeting = `INFO ${JSON.stringify({ server_id: 'x', version: '2.15.0', headers: true, max_payload: 1_048_576 })}\r\n`;

let server: Server;
let sockets: Socket[];
/** What the server does with a new connection. */
let welcome: (socket: Socket) => void;

const serve = (socket: Socket): void => {
  socket.on('data', (data) => { for (const _ of data.toString().matchAll(/PING\r\n/g)) socket.write('PONG\r\n'); });
  socket.write(greeting);
};

const port = (): number => (server.address() as AddressInfo).port;

beforeEach(async () => {
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    welcome(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
});

describe('a try to connect that is given up', () => {
  it('is hung up, though the server has not greeted yet', async () => {
    welcome = () => undefined;
    const transport = new BusTransport();
    const trying = transport.connect({ hostname: '127.0.0.1', port: port(), tlsName: '' }, {});
    await waitUntil(() => sockets.length === 1);
    await transport.close(new Error('It took too long'));
    await expect(trying).rejects.toThrow();
    await waitUntil(() => sockets[0]?.readableEnded === true || sockets[0]?.destroyed === true);
  });

  it('is hung up when the server is reached after that', async () => {
    welcome = serve;
    const transport = new BusTransport();
    const trying = transport.connect({ hostname: '127.0.0.1', port: port(), tlsName: '' }, {});
    await transport.close(new Error('It took too long'));
    await expect(trying).rejects.toThrow('given up');
  });

  it('does not end the connection that was made after it', async () => {
    // Time passes only where the test lets it, so that no other try can be too slow.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    welcome = serve;
    const connection = await openConnection({ port: port(), reconnectDelayHandler: () => 0, maxReconnectAttempts: -1 });
    const seen: string[] = [];
    const statuses = connection.status();
    void (async () => { for await (const { type } of statuses) seen.push(type); })();
    // The server stands still: it accepts and says nothing. Later it greets those too that have gone.
    welcome = () => undefined;
    sockets[0]?.destroy();
    await waitUntil(() => sockets.length === 2);
    welcome = serve;
    await vi.advanceTimersByTimeAsync(20_000);
    await waitUntil(() => seen.includes('reconnect'));
    const late = sockets[1];
    if (late?.writable) late.end(greeting);
    await waitUntil(() => late?.destroyed === true);
    await connection.flush();
    expect(seen.filter((type) => type === 'disconnect')).toHaveLength(1);
    expect(sockets).toHaveLength(3);
    await connection.close();
  });
});
