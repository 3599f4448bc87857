import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SteadyClient } from './steady-client.ts';

const message = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
};
const [authenticated, readyForQuery] = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
const farewell = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'));

/** Greets and dies, and both are read at once: a Postgres that is killed while a busy process connects. */
const greetAndDie = (socket: Socket): void => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.end(Buffer.concat([authenticated, readyForQuery, farewell])));
};

let server: Server;
let config: pg.PoolConfig;
beforeAll(async () => {
  server = createServer(greetAndDie).listen(0, '127.0.0.1');
  await once(server, 'listening');
  config = { host: '127.0.0.1', port: (server.address() as AddressInfo).port, user: 'u', database: 'd', ssl: false };
});
afterAll(() => new Promise((resolve) => { server.close(resolve); }));

it('a server that dies in the moment of connecting rejects the next query and ends no process', async () => {
  const client = new SteadyClient(config);
  const ended = new Promise((resolve) => { client.once('end', resolve); });
  await client.connect();
  await expect(client.query('select 1')).rejects.toThrow(/not queryable|terminat/i);
  await ended;
});

it('a pool gives such a client away, without a listener of whoever takes it, and makes a new one for the next', async () => {
  const pool = new pg.Pool({ ...config, Client: SteadyClient });
  for (let i = 0; i < 2; i++) {
    const client = await pool.connect();
    await expect(client.query('select 1')).rejects.toThrow(/not queryable|terminat/i);
    client.release(true);
  }
  await pool.end();
});
