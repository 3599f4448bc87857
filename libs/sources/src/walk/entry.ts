import { type BigIntStats, constants, readlinkSync } from 'node:fs';
import type { EntryType, SourceEntry } from '../source.port.ts';
import type { HostNames } from './host-names.ts';

const types: Readonly<Record<number, EntryType>> = {
  [constants.S_IFREG]: 'file',
  [constants.S_IFDIR]: 'directory',
  [constants.S_IFLNK]: 'symlink',
  [constants.S_IFIFO]: 'fifo',
  [constants.S_IFSOCK]: 'socket',
  [constants.S_IFBLK]: 'block',
  [constants.S_IFCHR]: 'char',
};

/** The type in a mode, or undefined for one this system should not have. */
export const typeOfMode = (mode: number): EntryType | undefined => types[mode & constants.S_IFMT];

/** An entry from what `lstat` said of `absolute`. Throws the system's error when a link cannot be read any more. */
export const entryOf = (absolute: Buffer, stats: BigIntStats, type: EntryType, names: HostNames): SourceEntry => {
  const uid = Number(stats.uid);
  const gid = Number(stats.gid);
  // All of one shape, absent fields undefined: several times as fast to make as spreading what is there.
  return {
    path: absolute.subarray(1),
    type,
    mode: Number(stats.mode) & 0o7777,
    uid,
    gid,
    user: names.user(uid),
    group: names.group(gid),
    size: type === 'file' ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
    device: stats.dev,
    links: Number(stats.nlink),
    rdev: type === 'block' || type === 'char' ? stats.rdev : undefined,
    linkTarget: type === 'symlink' ? readlinkSync(absolute, { encoding: 'buffer' }) : undefined,
    contentPath: type === 'file' ? absolute : undefined,
    xattrs: undefined,
  };
};
