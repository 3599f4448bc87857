import { isUtf8 } from 'node:buffer';
import type { BrowseAnswer, BrowseRequest, DiscoverAnswer, HostDiscovery, HostEntry } from '#contracts';
import { type Clock, fault } from '#kernel';
import { DirectoryLister, type Discovery, type ListedEntry, type PatientCall, discover, patientCalls } from '#sources';

/** Which directories of this host masters may look into. */
export type Allowed = 'all' | readonly string[];

const text = (name: 'name' | 'path', bytes: Buffer): Partial<Record<'name' | 'name64' | 'path' | 'path64', string>> =>
  (isUtf8(bytes) ? { [name]: bytes.toString('utf8') } : { [`${name}64`]: bytes.toString('base64') });

const entryOf = (entry: ListedEntry): HostEntry => {
  if ('error' in entry) return { ...text('name', entry.name), ...(entry.type ? { type: entry.type } : {}), error: entry.error };
  const { name, mtimeNs, ...facts } = entry;
  return { ...text('name', name), ...facts, mtimeMs: Number(mtimeNs / 1_000_000n) };
};

/** Lists are cut to what a message of this kind may hold. */
const discoveryOf = ({ path, ...found }: Discovery): HostDiscovery => ({
  ...found, ...(path === undefined ? {} : text('path', path)),
  sockets: found.sockets.slice(0, 64).map((socket) => socket.slice(0, 256)), ports: found.ports.slice(0, 64).map((port) => port.slice(0, 256)),
  evidence: found.evidence.slice(0, 64).map(({ by, detail }) => ({ by, detail: detail.slice(0, 8192) })),
});

/** What this host looks like to the agent's user. Nothing waits for it: neither a running backup nor the agent's other duties. */
export class HostLook {
  private readonly call: PatientCall;
  private readonly directories: DirectoryLister;

  constructor(private readonly clock: Clock, private readonly allowed: Allowed) {
    this.call = patientCalls(clock);
    this.directories = new DirectoryLister({ clock, call: this.call, roots: allowed === 'all' ? undefined : allowed });
  }

  /** A page of a directory; what may not be read is told as data. Throws `path-invalid` and `browse-not-allowed`. */
  async browse({ path64, after64, limit }: BrowseRequest): Promise<BrowseAnswer> {
    const after = after64 === undefined ? {} : { after: Buffer.from(after64, 'base64') };
    const { entries, total, next, error } = await this.directories.list(Buffer.from(path64, 'base64'), { limit, ...after });
    return { entries: entries.map(entryOf), total, ...(next ? { next64: next.toString('base64') } : {}), ...(error === undefined ? {} : { error }) };
  }

  /** Databases and the like. Throws `browse-not-allowed` where the agent shows only a part of the host. */
  async discover(): Promise<DiscoverAnswer> {
    if (this.allowed !== 'all') {
      throw fault('forbidden', 'browse-not-allowed', 'This agent does not look for databases; HOLDFAST_AGENT_BROWSE on the host is not "all"');
    }
    const { found, notes } = await discover({ clock: this.clock, call: this.call });
    return { found: found.map(discoveryOf), notes: notes.map(({ code, detail }) => ({ code: code.slice(0, 64), detail: detail.slice(0, 8192) })) };
  }
}
