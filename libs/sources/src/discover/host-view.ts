import { type Dirent, constants } from 'node:fs';
import { open, opendir, readdir, readlink, stat } from 'node:fs/promises';
import type { Clock } from '#kernel';
import type { PatientCall } from '../browse/patient-calls.ts';
import type { DiscoveryNote } from './discovery.ts';
import { type Listener, tcpListeners, unixListeners } from './listeners.ts';

/** A process of the host. */
export interface HostProcess {
  readonly pid: number;
  /** As the kernel calls it: 15 characters at most. */
  readonly name: string;
  readonly args: readonly string[];
  readonly container?: string;
  /** Where it stands; absent when this process may not know. */
  readonly directory?: string;
  /** Inodes of its sockets; empty when this process may not know. */
  readonly sockets: ReadonlySet<string>;
}

/** A name in a directory; a link is neither. */
export interface HostEntry {
  readonly name: Buffer;
  readonly directory: boolean;
  readonly file: boolean;
}

/** The host as the agent's user sees it. Nothing here throws: what cannot be seen is absent, and noted where it matters. */
export interface HostView {
  /** Processes by these names. */
  processes(names: readonly string[]): Promise<readonly HostProcess[]>;
  listeners(): Promise<readonly Listener[]>;
  /** The first bytes of a file, 64 KiB if nothing else is said; undefined when there is none or it may not be read. */
  head(path: string | Buffer, bytes?: number): Promise<Buffer | undefined>;
  /** Names in a directory, at most 4,096; none when it is absent. One that is there and closed to us is noted. */
  names(path: string | Buffer): Promise<readonly Buffer[]>;
  /** As `names`, with what each is. */
  entries(path: Buffer): Promise<readonly HostEntry[]>;
  /** Bytes of a plain file; undefined for anything else. */
  size(path: Buffer): Promise<number | undefined>;
  /** The time for looking is over: whatever is asked now finds nothing. */
  readonly isOver: boolean;
  note(code: string, detail: string): void;
}

/** What a view needs. */
export interface HostViewOptions {
  readonly clock: Clock;
  readonly call: PatientCall;
  /** `clock.monotonic` at which it stops looking. */
  readonly deadline: number;
  /** In place of `/`, for tests. */
  readonly root?: string;
  readonly onNote: (note: DiscoveryNote) => void;
}

const mostNames = 4096;
const mostDescriptors = 512;
/** Milliseconds for one call. */
const patienceMs = 1_000;
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'EIO';
const absent = ['ENOENT', 'ENOTDIR', 'ESRCH', 'EINVAL'];

/** One more than are looked at, where there are more; never all of a directory that has millions. */
const firstEntries = async (path: Buffer): Promise<HostEntry[]> => {
  // The types do not know that names may come as bytes.
  const directory = await opendir(path, { encoding: 'buffer' as BufferEncoding });
  const found: HostEntry[] = [];
  try {
    while (found.length <= mostNames) {
      const entry = (await directory.read()) as Dirent<Buffer> | null;
      if (!entry) break;
      found.push({ name: Buffer.from(entry.name), directory: entry.isDirectory(), file: entry.isFile() });
    }
  } finally {
    await directory.close();
  }
  return found;
};

/** A directory that somebody chose for us may hold a pipe or a device by the name of a file: those wait when they are opened, or do something. */
const firstBytes = async (path: Buffer, bytes: number): Promise<Buffer> => {
  if (!(await stat(path)).isFile()) return Buffer.alloc(0);
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const parts: Buffer[] = [];
    // The kernel gives a table of /proc page by page.
    for (let left = bytes; left > 0;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(left, 65_536)));
      if (bytesRead === 0) break;
      parts.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(parts);
  } finally {
    await file.close();
  }
};

const containerOf = (cgroup: string): string | undefined =>
  /(?:docker|libpod|crio|cri-containerd|containerd)[-:/]([0-9a-f]{64})/.exec(cgroup)?.[1] ?? /\/docker\/([0-9a-f]{12,64})/.exec(cgroup)?.[1];

/** The host, looked at through `/proc` and its directories. */
export class LocalHost implements HostView {
  private readonly options: HostViewOptions;
  private readonly root: string;

  constructor(options: HostViewOptions) {
    this.options = options;
    this.root = options.root ?? '/';
  }

  get isOver(): boolean {
    return this.options.clock.monotonic() >= this.options.deadline;
  }

  head(path: string | Buffer, bytes = 65_536): Promise<Buffer | undefined> {
    return this.quietly(() => firstBytes(this.place(path), bytes));
  }

  async entries(path: string | Buffer): Promise<readonly HostEntry[]> {
    const found = await this.quietly(() => firstEntries(this.place(path)), (code) => {
      // What was not looked into for want of time is told once, by who was looking.
      if (!absent.includes(code) && !this.isOver) this.note(code, `${path.toString()} cannot be looked into`);
    }) ?? [];
    if (found.length > mostNames) this.note('bounded', `In ${path.toString()} only ${mostNames} names were looked at; there are more`);
    return found.slice(0, mostNames).sort((a, b) => a.name.compare(b.name));
  }

  async names(path: string | Buffer): Promise<readonly Buffer[]> {
    return (await this.entries(path)).map(({ name }) => name);
  }

  size(path: Buffer): Promise<number | undefined> {
    return this.quietly(async () => {
      const stats = await stat(this.place(path));
      return stats.isFile() ? stats.size : undefined;
    });
  }

  note(code: string, detail: string): void {
    this.options.onNote({ code, detail });
  }

  async processes(wanted: readonly string[]): Promise<readonly HostProcess[]> {
    const pids = (await this.names('/proc')).map(String).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
    const called = await Promise.all(pids.map(async (pid) => ({ pid, name: (await this.text(`/proc/${pid}/comm`, 64)).trimEnd() })));
    return Promise.all(called.filter(({ name }) => wanted.includes(name)).map(({ pid, name }) => this.process(pid, name)));
  }

  async listeners(): Promise<readonly Listener[]> {
    return [...unixListeners(await this.text('/proc/net/unix')), ...tcpListeners(await this.text('/proc/net/tcp')), ...tcpListeners(await this.text('/proc/net/tcp6'))];
  }

  private async process(pid: string, name: string): Promise<HostProcess> {
    const [line, cgroup] = await Promise.all([this.text(`/proc/${pid}/cmdline`), this.text(`/proc/${pid}/cgroup`)]);
    const [directory, sockets] = await Promise.all([this.link(`/proc/${pid}/cwd`), this.socketsOf(pid)]);
    const container = containerOf(cgroup);
    return { pid: Number(pid), name, args: line.split('\0').filter((part) => part !== ''), sockets, ...(container ? { container } : {}), ...(directory ? { directory } : {}) };
  }

  private async socketsOf(pid: string): Promise<ReadonlySet<string>> {
    const numbers = await this.quietly(() => readdir(this.place(`/proc/${pid}/fd`))) ?? [];
    const targets = await Promise.all(numbers.slice(0, mostDescriptors).map((number) => this.link(`/proc/${pid}/fd/${number}`)));
    return new Set(targets.map((target) => /^socket:\[(\d+)\]$/.exec(target ?? '')?.[1]).filter((inode) => inode !== undefined));
  }

  private async text(path: string, bytes = 1_048_576): Promise<string> {
    return (await this.head(path, bytes))?.toString('utf8') ?? '';
  }

  private link(path: string): Promise<string | undefined> {
    return this.quietly(() => readlink(this.place(path), { encoding: 'utf8' }));
  }

  private place(path: string | Buffer): Buffer {
    return this.root === '/' ? Buffer.from(path) : Buffer.concat([Buffer.from(this.root), Buffer.from(path)]);
  }

  private async quietly<T>(work: () => Promise<T>, onError: (code: string) => void = () => undefined): Promise<T | undefined> {
    const { call, deadline, clock } = this.options;
    try {
      return await call(work, Math.min(deadline, clock.monotonic() + patienceMs));
    } catch (error) {
      onError(codeOf(error));
      return undefined;
    }
  }
}
