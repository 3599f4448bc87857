import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type Socket, connect, isIP } from 'node:net';
import { type Endpoint, fault, messageOf } from '#kernel';
import { type Proxy, proxyRefused } from './proxy-url.ts';

const version = 5;
const loginByName = 2;

const answers: Readonly<Record<number, string>> = {
  1: 'it failed', 2: 'its rules forbid it', 3: 'the network is unreachable from there', 4: 'the host is unreachable from there', 5: 'the connection was refused', 6: 'it took too long',
};

/** Reads so many bytes, exactly. */
type Read = (count: number) => Promise<Buffer>;

/** Reads a paused socket; `giveBack` leaves in it what came too much. */
const readerOf = (socket: Socket, signal: AbortSignal): { readonly read: Read; readonly giveBack: () => void } => {
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<void> => {
    const chunk = socket.read() as Buffer | null;
    if (chunk) return void (held = Buffer.concat([held, chunk]));
    if (socket.readableEnded || socket.destroyed) throw new Error('The connection ended in the middle of the handshake');
    const over = new AbortController();
    const either = { signal: AbortSignal.any([signal, over.signal]) };
    await Promise.race([once(socket, 'readable', either), once(socket, 'close', either)]).finally(() => over.abort());
  };
  return {
    read: async (count) => {
      while (held.length < count) await more();
      const bytes = held.subarray(0, count);
      held = held.subarray(count);
      return bytes;
    },
    giveBack: () => void (held.length > 0 && socket.unshift(held)),
  };
};

/** What one handshake is about. */
interface Handshake {
  readonly proxy: Proxy;
  readonly to: Endpoint;
  readonly say: (bytes: Uint8Array) => void;
  readonly read: Read;
}

const ipv6Bytes = (address: string): Buffer => {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = tail === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
};

/** RFC 1928, 4: an address as the proxy takes it. `socks5h` leaves names to the proxy. */
const addressBytes = async ({ kind }: Proxy, host: string): Promise<Buffer> => {
  const address = kind === 'socks5h' || isIP(host) ? host : (await lookup(host)).address;
  if (isIP(address) === 4) return Buffer.from([1, ...address.split('.').map(Number)]);
  if (isIP(address) === 6 && !address.includes('.')) return Buffer.concat([Buffer.from([4]), ipv6Bytes(address)]);
  const name = Buffer.from(address);
  if (name.length > 255) throw fault('validation', 'proxy-refused', 'The name of the host is too long for a SOCKS proxy');
  return Buffer.concat([Buffer.from([3, name.length]), name]);
};

/** RFC 1929. */
const logIn = async ({ proxy, to, say, read }: Handshake): Promise<void> => {
  const [user, password] = [Buffer.from(proxy.user ?? ''), Buffer.from(proxy.password ?? '')];
  say(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]));
  const [, status] = await read(2);
  if (status !== 0) throw proxyRefused(proxy, to, 'it does not take the log-in');
};

const greet = async (handshake: Handshake): Promise<void> => {
  const { proxy, to, say, read } = handshake;
  const methods = proxy.user === undefined ? [0] : [0, loginByName];
  say(Buffer.from([version, methods.length, ...methods]));
  const [spoken, method] = await read(2);
  if (spoken !== version) throw proxyRefused(proxy, to, 'it does not speak SOCKS 5');
  if (method === loginByName) return logIn(handshake);
  if (method !== 0) throw proxyRefused(proxy, to, 'it wants a log-in');
};

const ask = async ({ proxy, to, say, read }: Handshake): Promise<void> => {
  say(Buffer.concat([Buffer.from([version, 1, 0]), await addressBytes(proxy, to.host), Buffer.from([to.port >> 8, to.port & 255])]));
  const [, status = 1, , kind] = await read(4);
  if (status !== 0) throw proxyRefused(proxy, to, answers[status] ?? `it answers ${status}`);
  const length = kind === 1 ? 4 : kind === 4 ? 16 : (await read(1))[0] ?? 0;
  await read(length + 2);
};

/** A connection through a SOCKS proxy: the part of version 5 (RFC 1928, 1929) that a client needs. */
export const connectOverSocks = async (proxy: Proxy, to: Endpoint, signal: AbortSignal): Promise<Socket> => {
  const socket = connect({ host: proxy.host, port: proxy.port });
  try {
    await once(socket, 'connect', { signal });
  } catch (cause) {
    socket.destroy();
    throw fault('unavailable', 'proxy-unreachable', `The proxy ${proxy.shown} cannot be reached (${messageOf(cause)}); look at its address and at the network`, { cause });
  }
  try {
    const { read, giveBack } = readerOf(socket, signal);
    const handshake: Handshake = { proxy, to, read, say: (bytes) => void socket.write(bytes) };
    await greet(handshake);
    await ask(handshake);
    giveBack();
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
};
