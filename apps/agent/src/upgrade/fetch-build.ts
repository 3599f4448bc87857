import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, createWriteStream, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import type { UpgradeOrder } from '#contracts';
import { fault, isAppError, messageOf } from '#kernel';
import { type NetworkSettings, agentsOf } from '../network/network.ts';

/** Where a build comes from and where it goes. */
export interface FetchBuild {
  /** URL of a master. */
  readonly master: string;
  readonly order: UpgradeOrder;
  /** `amd64` or `arm64`. */
  readonly arch: string;
  /** The executable file to make. */
  readonly file: string;
  /** How this host reaches the master. */
  readonly network: NetworkSettings;
  readonly signal: AbortSignal;
}

/** Milliseconds without a byte before a connection is given up. */
const idleMs = 60_000;

const open = async (url: URL, { plain, secure }: ReturnType<typeof agentsOf>, signal: AbortSignal): Promise<IncomingMessage> => {
  const request = url.protocol === 'https:'
    ? https.get(url, { signal, timeout: idleMs, agent: secure })
    : http.get(url, { signal, timeout: idleMs, agent: plain });
  request.on('timeout', () => request.destroy(new Error('The connection went silent')));
  const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
  if (response.statusCode === 200) return response;
  response.resume();
  if (response.statusCode === 404) {
    throw fault('unavailable', 'agent-build-missing', `${url.origin} has no ${url.pathname}; make it with "npm run build:agent" on that master, then order the upgrade again`);
  }
  throw fault('unavailable', 'upgrade-download-failed', `${url.origin} answered ${response.statusCode} for ${url.pathname}`);
};

/** Passes at most `size` bytes on and counts them into the sum. */
const counted = (size: number) => {
  const hash = createHash('sha256');
  let passed = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      hash.update(chunk);
      done(passed > size ? wrongFile() : undefined, chunk);
    },
  });
  return { stream, isRight: (sha256: string): boolean => passed === size && hash.digest('hex') === sha256 };
};

const wrongFile = () =>
  fault('refused', 'upgrade-checksum', 'What came is not the file that the masters signed the SHA-256 of: a proxy changed it, or the build was replaced. Nothing was changed');

const syncTo = (file: string): void => {
  const handle = openSync(file, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/**
 * Fetches the compressed build and puts it in place, complete and checked against the signed sum, in one step. Throws
 * `upgrade-download-failed`, `agent-build-missing` (both retryable: another master behind the same name may answer) and `upgrade-checksum`.
 */
export const fetchBuild = async ({ master, order, arch, file, network, signal }: FetchBuild): Promise<void> => {
  const folder = dirname(file);
  const temporary = join(folder, 'download');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { stream, isRight } = counted(order.size);
  const agents = agentsOf(network);
  try {
    const url = new URL(`/api/v1/agent/${encodeURIComponent(order.version)}/linux-${arch}.zst`, master);
    await pipeline(await open(url, agents, signal), createZstdDecompress(), stream, createWriteStream(temporary, { mode: 0o600 }), { signal });
    if (!isRight(order.sha256)) throw wrongFile();
    chmodSync(temporary, 0o700);
    syncTo(temporary);
    renameSync(temporary, file);
    syncTo(folder);
  } catch (cause) {
    rmSync(temporary, { force: true });
    signal.throwIfAborted();
    if (isAppError(cause)) throw cause;
    throw fault('unavailable', 'upgrade-download-failed', `The build could not be fetched from ${master}: ${messageOf(cause)}`, { cause });
  } finally {
    agents.plain.destroy();
    agents.secure.destroy();
  }
};
