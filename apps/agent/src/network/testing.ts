import { once } from 'node:events';
import { type IncomingMessage, createServer as createHttpServer } from 'node:http';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import type { Duplex } from 'node:stream';

/** A proxy on loopback, as small as they come, that knows hosts which exist for nobody else. */
export interface TestProxy {
  readonly host: string;
  /** What it was asked to connect to, `host:port`. */
  readonly asked: string[];
  /** Cuts every connection through it; new ones are taken. */
  cut(): void;
  stop(): Promise<void>;
}

export interface ProxyOptions {
  /** `name:password` that it wants. */
  readonly login?: string;
  /** Names that it knows: all lead to loopback. */
  readonly names?: readonly string[];
}

/** Tunnels to what the proxy knows; rejects for everything else. */
const tunnel = async ({ names = [] }: ProxyOptions, host: string, port: number): Promise<Socket> => {
  const address = names.includes(host) ? '127.0.0.1' : host;
  if (!/^127\.|^::1$/.test(address)) throw new Error('unknown');
  const socket = connect({ host: address, port });
  await once(socket, 'connect');
  return socket;
};

const join = (a: Duplex, b: Duplex): void => {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
};

const serve = async (server: Server, asked: string[]): Promise<TestProxy> => {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => { for (const socket of open) socket.destroy(); };
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, cut,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
};

/** An HTTP proxy that does CONNECT. */
export const startHttpProxy = (options: ProxyOptions = {}): Promise<TestProxy> => {
  const asked: string[] = [];
  const server = createHttpServer((_request, response) => response.writeHead(405).end());
  const answer = async (request: IncomingMessage, client: Duplex): Promise<void> => {
    const wanted = options.login === undefined ? undefined : `Basic ${Buffer.from(options.login).toString('base64')}`;
    if (request.headers['proxy-authorization'] !== wanted) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n');
    asked.push(request.url ?? '');
    const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(request.url ?? '') ?? [];
    const far = await tunnel(options, host, Number(port)).catch(() => undefined);
    if (!far) return void client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    join(client, far);
  };
  server.on('connect', (request: IncomingMessage, client: Duplex) => {
    client.on('error', () => undefined);
    void answer(request, client);
  });
  return serve(server, asked);
};

/** A client sends nothing before it was answered, so what has come is what was asked for, or its beginning. */
const readAt = (socket: Socket): ((count: number) => Promise<Buffer>) => {
  let held: Buffer = Buffer.alloc(0);
  return async (count) => {
    while (held.length < count) {
      const chunk = socket.read() as Buffer | null;
      if (chunk) held = Buffer.concat([held, chunk]);
      else await once(socket, 'readable');
    }
    const bytes = held.subarray(0, count);
    held = held.subarray(count);
    return bytes;
  };
};

const hostOf = async (kind: number | undefined, read: (count: number) => Promise<Buffer>): Promise<string> => {
  if (kind === 1) return (await read(4)).join('.');
  if (kind === 3) return (await read((await read(1))[0] ?? 0)).toString();
  const bytes = await read(16);
  return bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1 ? '::1' : bytes.toString('hex');
};

/** A SOCKS 5 proxy that does CONNECT; it answers byte by byte, as a slow network would bring it. */
export const startSocksProxy = (options: ProxyOptions = {}): Promise<TestProxy> => {
  const asked: string[] = [];
  const say = async (socket: Socket, ...bytes: number[]): Promise<void> => {
    for (const byte of bytes) await new Promise<void>((resolve) => { socket.write(Buffer.from([byte]), () => setImmediate(resolve)); });
  };
  const answer = async (socket: Socket): Promise<unknown> => {
    const read = readAt(socket);
    const [, count = 0] = await read(2);
    const methods = await read(count);
    const wanted = options.login === undefined ? 0 : 2;
    if (!methods.includes(wanted)) return say(socket, 5, 255).then(() => socket.end());
    await say(socket, 5, wanted);
    if (options.login !== undefined) {
      const [, length = 0] = await read(2);
      const user = await read(length);
      const password = await read((await read(1))[0] ?? 0);
      const right = `${user.toString()}:${password.toString()}` === options.login;
      await say(socket, 1, right ? 0 : 1);
      if (!right) return socket.end();
    }
    const [, , , kind] = await read(4);
    const host = await hostOf(kind, read);
    const port = (await read(2)).readUInt16BE();
    asked.push(`${host}:${port}`);
    const far = await tunnel(options, host, port).catch(() => undefined);
    await say(socket, 5, far ? 0 : 4, 0, 1, 0, 0, 0, 0, 0, 0);
    return far ? join(socket, far) : socket.end();
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    answer(socket).catch(() => socket.destroy());
  });
  return serve(server, asked);
};
