import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** Ports that this process has asked for: a server that has one need not listen on it yet when the next one is chosen. */
const given = new Set<number>();

/**
 * A port of 127.0.0.1 that nobody listens on now, and no second time the same one. It lies below the range that the kernel hands to outgoing connections, so that a
 * server that was killed finds it free again.
 */
export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = randomInt(12_000, 32_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error('No free port between 12000 and 32000 on 127.0.0.1');
};
