import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { HostEntry } from '#contracts';
import { type Logger, fault, rfc3339 } from '#kernel';
import { printablePath } from '#repository';
import { Caller, LOGGER, NeedsRole, type Principal, invalidRequest } from '../../../platform/index.ts';
import { HostQuestions } from '../host-questions.ts';
import { BrowseQuery, DiscoveriesAnswer, type DiscoveryAnswer, HostDirectoryAnswer, type HostEntryAnswer } from './host.dto.ts';

/** The directory's bytes; the agent has the last word on what a path may be. */
const directoryOf = ({ path, path64 }: BrowseQuery): Buffer => {
  if (path !== undefined && path64 !== undefined) throw invalidRequest([{ field: 'path64', detail: 'give path or path64, not both' }]);
  const bytes = path64 === undefined ? Buffer.from(path ?? '/', 'utf8') : Buffer.from(path64, 'base64');
  const parts = bytes.toString('latin1').replace(/\/$/, '').split('/').slice(1);
  if (bytes[0] !== 0x2f || bytes.includes(0) || bytes.length > 4096 || parts.some((part) => ['', '.', '..'].includes(part))) {
    throw invalidRequest([{ field: path64 === undefined ? 'path' : 'path64', detail: 'must be the path of a directory from /, without empty parts, . or .., of at most 4096 bytes' }]);
  }
  return bytes.length > 1 && bytes.at(-1) === 0x2f ? bytes.subarray(0, -1) : bytes;
};

const cursorOf = (cursor: string): string => {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length === 0 || bytes.length > 255 || bytes.toString('base64url') !== cursor) throw fault('validation', 'invalid-cursor', 'Send the nextCursor of the page before unchanged, with the same path');
  return bytes.toString('base64');
};

const printed = (path: Buffer): { path: string; path64?: string } => {
  const text = path.toString('utf8');
  return { path: `/${printablePath(path.subarray(1))}`, ...(Buffer.from(text, 'utf8').equals(path) ? {} : { path64: path.toString('base64') }) };
};

const entryOf = (directory: Buffer, { name, name64, type, size, mode, user, group, uid, gid, mtimeMs, error }: HostEntry): HostEntryAnswer => {
  const bytes = name64 === undefined ? Buffer.from(name ?? '', 'utf8') : Buffer.from(name64, 'base64');
  const place = printed(Buffer.concat([directory.length === 1 ? directory : Buffer.concat([directory, Buffer.from('/')]), bytes]));
  const owner = (known: string | undefined, id: number | undefined): string | undefined => known ?? (id === undefined ? undefined : String(id));
  const facts = {
    type, size, user: owner(user, uid), group: owner(group, gid), error,
    mode: mode === undefined ? undefined : mode.toString(8).padStart(4, '0'), modified: mtimeMs === undefined ? undefined : timeOf(mtimeMs),
  };
  return { name: printablePath(bytes), ...place, ...(Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as Partial<HostEntryAnswer>) };
};

/** A file may claim any time; beyond what a date can say there is none. */
const timeOf = (ms: number): string | undefined => (Math.abs(ms) <= 8.64e15 ? rfc3339(ms) : undefined);

/** Hosts as they are at this moment. Choosing what to back up is an operator's work, so a viewer does not look into hosts. */
@ApiTags('nodes')
@Controller('api/v1/nodes')
@NeedsRole('operator')
export class HostsHttp {
  constructor(private readonly questions: HostQuestions, @Inject(LOGGER) private readonly logger: Logger) {}

  /** One page of a directory of the host, in byte order of the names; what may not be read is told in `error`. The agent answers at once, or this fails. */
  @Get(':id/browse')
  async browse(@Param('id') id: string, @Query() query: BrowseQuery, @Caller() caller: Principal): Promise<HostDirectoryAnswer> {
    const directory = directoryOf(query);
    const after = query.cursor === undefined ? {} : { after64: cursorOf(query.cursor) };
    const { entries, total, next64, error } = await this.questions.browse(id, { path64: directory.toString('base64'), limit: query.limit ?? 200, ...after });
    const { path } = printed(directory);
    this.logger.info('a directory of a host was looked at', { node: id, path, actor: caller.actor });
    const next = next64 === undefined ? {} : { nextCursor: Buffer.from(next64, 'base64').toString('base64url') };
    return { path, items: entries.map((entry) => entryOf(directory, entry)), total, ...next, ...(error === undefined ? {} : { error }) };
  }

  /** Databases and the like on the host, each with how it was found. Nothing is connected to; passwords are not needed. */
  @Get(':id/discoveries')
  async discoveries(@Param('id') id: string, @Caller() caller: Principal): Promise<DiscoveriesAnswer> {
    const { found, notes } = await this.questions.discover(id);
    this.logger.info('a host was searched for databases', { node: id, found: found.length, actor: caller.actor });
    const items = found.map(({ path, path64, ...facts }): DiscoveryAnswer => {
      const bytes = path64 === undefined ? Buffer.from(path ?? '', 'utf8') : Buffer.from(path64, 'base64');
      return { ...facts, ...(bytes.length === 0 ? {} : printed(bytes)) };
    });
    return { items, notes };
  }
}
