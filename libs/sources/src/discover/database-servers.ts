import type { Discovery, Evidence } from './discovery.ts';
import type { HostProcess, HostView } from './host-view.ts';
import type { Listener } from './listeners.ts';

/** What a data directory says of itself. */
export interface DataDirectory {
  readonly version?: string;
  /** Of the server that has it open, by its own word. */
  readonly pid?: number;
  readonly port?: number;
}

/** How the servers of one database are told from others. */
export interface ServerTraits {
  readonly kind: string;
  /** Names of its programs. */
  readonly programs: readonly string[];
  /** Tells the server itself from its workers. Default: every process is a server. */
  readonly isServer?: (process: HostProcess) => boolean;
  readonly directoryOf: (process: HostProcess) => string | undefined;
  readonly portOf: (process: HostProcess) => number | undefined;
  /** The port in the path of its socket, 0 when the path has none; undefined for somebody else's. */
  readonly socketPort: (path: string) => number | undefined;
  readonly usualPort: number;
  /** Where its data directories lie when nobody chose another place. */
  readonly usualDirectories: (host: HostView) => Promise<readonly string[]>;
  /** What the directory says; undefined when it is no data directory, or closed to us. */
  readonly look: (host: HostView, directory: string) => Promise<DataDirectory | undefined>;
}

/** A server while evidence for it is gathered. */
interface Found {
  process?: HostProcess;
  path?: string;
  port?: number;
  version?: string;
  readonly sockets: string[];
  readonly ports: string[];
  readonly evidence: Evidence[];
}

const plain = (path: string): string => path.replace(/(?<=.)\/+$/, '');

const ofProcess = (traits: ServerTraits, process: HostProcess): Found => {
  const path = process.container === undefined ? traits.directoryOf(process) ?? process.directory : undefined;
  const port = traits.portOf(process);
  const where = process.container === undefined ? '' : `, in container ${process.container.slice(0, 12)}`;
  return {
    process, sockets: [], ports: [], evidence: [{ by: 'process', detail: `${process.name}, number ${process.pid}${where}` }],
    ...(path ? { path: plain(path) } : {}), ...(port === undefined ? {} : { port }),
  };
};

/** Adds what is known of a directory to the server that has it open, or as one that nobody serves. */
const addDirectory = (found: Found[], path: string, { version, pid, port }: DataDirectory): void => {
  const mine = found.find((one) => one.path === path) ?? found.find((one) => pid !== undefined && one.process?.pid === pid && !one.process.container);
  const server = mine ?? { sockets: [], ports: [], evidence: [] };
  if (!mine) found.push(server);
  server.path = path;
  if (version !== undefined) server.version = version;
  // Without the process it may be what a server left behind that was killed.
  if (port !== undefined && server.process) server.port ??= port;
  server.evidence.push({ by: 'directory', detail: path });
};

/** Whose listener it is: by its number, where we may see the descriptors of processes; else by a port that somebody has named. */
const ownerOf = (found: readonly Found[], { inode }: Listener, port: number | undefined): Found | undefined =>
  found.find(({ process }) => process?.sockets.has(inode))
  ?? found.find((one) => port !== undefined && port !== 0 && one.port === port && (one.process?.sockets.size ?? 0) === 0);

const addListener = (found: Found[], listener: Listener, traits: ServerTraits): void => {
  const { path, address } = listener;
  const port = path === undefined ? listener.port : traits.socketPort(path);
  const owner = ownerOf(found, listener, port);
  if (!owner && (path === undefined ? port !== traits.usualPort : port === undefined)) return;
  const server = owner ?? { sockets: [], ports: [], evidence: [] };
  if (!owner) found.push(server);
  if (port) server.port ??= port;
  if (path !== undefined) {
    server.sockets.push(path);
    server.evidence.push({ by: 'socket', detail: path });
  }
  if (address !== undefined) {
    server.ports.push(address);
    server.evidence.push({ by: 'port', detail: owner ? address : `${address}, the usual one; nobody was asked what listens there` });
  }
};

const discoveryOf = (kind: string, server: Found): Discovery => {
  const { process, path, version, sockets, ports, evidence } = server;
  const running = process !== undefined || sockets.length > 0;
  return {
    kind, sockets, ports, evidence, ...(path === undefined ? {} : { path: Buffer.from(path) }), ...(version === undefined ? {} : { version }),
    ...(running ? { running } : {}), ...(process?.container === undefined ? {} : { container: process.container }),
  };
};

/** Servers of one database: by their processes, data directories and sockets, which are joined only where something says that they belong together. */
export const findServers = async (host: HostView, traits: ServerTraits): Promise<readonly Discovery[]> => {
  const processes = (await host.processes(traits.programs)).filter(traits.isServer ?? (() => true));
  const found = processes.map((process) => ofProcess(traits, process));
  const open = found.map(({ path }) => path).filter((path) => path !== undefined);
  for (const directory of new Set([...open, ...(await traits.usualDirectories(host)).map(plain)])) {
    const facts = await traits.look(host, directory);
    if (facts) addDirectory(found, directory, facts);
  }
  for (const listener of await host.listeners()) addListener(found, listener, traits);
  return found.map((server) => discoveryOf(traits.kind, server));
};
