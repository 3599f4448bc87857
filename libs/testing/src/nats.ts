import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findNatsServer } from '#identity';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { removeTempDir, tempDir } from './temp-dir.ts';

/** Compiled, this file lies one folder deeper. */
const projectRoot = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../../..' : '../../../..');
let found: Promise<string> | undefined;

/** Full path of the nats-server that tests use. */
export const natsServerFile = (): Promise<string> => {
  // Not through #config: its decorators would keep plain Node processes of tests from loading this library.
  found ??= findNatsServer({ path: process.env['PATH'], projectRoot, explicit: process.env['HOLDFAST_NATS_SERVER'] });
  return found;
};

/** A real nats-server with JetStream, on loopback, in a folder of its own. */
export interface TestNats {
  /** `nats://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  pid(): number;
  /** What it logged since its last start. */
  log(): string;
  /** Ends it orderly and removes its folder. */
  stop(): Promise<void>;
  /** SIGKILL: as a power cut for the process, not for the disk. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port; ends it first when it runs. */
  restart(): Promise<void>;
}

/** What a test may ask of the server. */
export interface NatsOptions {
  /** Further lines of its configuration, or all of it made from what it listens on. */
  readonly configure?: (place: { readonly port: number; readonly dir: string }) => string | Promise<string>;
}

const plain = ({ port, dir }: { port: number; dir: string }): string =>
  `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${JSON.stringify(join(dir, 'jetstream'))}, sync_interval: always }\n`;

/** Starts a nats-server with JetStream (fsync before every ack) and no accounts, unless `configure` gives another configuration. */
export const startNatsServer = async (options: NatsOptions = {}): Promise<TestNats> => {
  const [command, port, dir] = [await natsServerFile(), await freePort(), await tempDir('nats')];
  await mkdir(join(dir, 'jetstream'), { recursive: true });
  const file = join(dir, 'nats.conf');
  await writeFile(file, await (options.configure ?? plain)({ port, dir }), { mode: 0o600 });
  const start = (): Promise<Child> => startChild({ command, args: ['-c', file], ready: /Server is ready/ });
  let child = await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    dir,
    pid: () => child.pid,
    log: () => child.output(),
    stop: async () => {
      await child.end('SIGTERM');
      removeTempDir(dir);
    },
    kill: () => child.end('SIGKILL'),
    restart: async () => {
      await child.end('SIGTERM');
      child = await start();
    },
  };
};
