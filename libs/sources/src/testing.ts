import { execFileSync } from 'node:child_process';
import {
  chmodSync, chownSync, closeSync, ftruncateSync, linkSync, lchownSync, mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync, writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { findTool } from './tools.ts';

/** What a tree of `makeFidelityTree` holds beyond the plain, as far as this machine and user could make it. */
export interface FidelityTree {
  readonly root: string;
  readonly devices: boolean;
  readonly xattrs: boolean;
  readonly acls: boolean;
}

const bytes = (...parts: (string | Buffer)[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

/**
 * Fills `root` (made when missing) with one of everything a backup has to bring back: links of both kinds, modes, fifos, devices, sparse
 * files, long and non-UTF-8 names, empty files and directories, times before 1970 and with nanoseconds, attributes and ACLs.
 */
export const makeFidelityTree = (root: string): FidelityTree => {
  mkdirSync(root, { recursive: true });
  makeFiles(root);
  makeNames(root);
  makeLinks(root);
  const devices = makeSpecials(root);
  makeModes(root);
  const attributes = makeAttributes(root);
  makeTimes(root);
  return { root, devices, ...attributes };
};

const makeFiles = (root: string): void => {
  mkdirSync(join(root, 'files'));
  writeFileSync(join(root, 'files/empty'), '');
  writeFileSync(join(root, 'files/small'), 'a small file\n');
  writeFileSync(join(root, 'files/large'), Buffer.alloc(3_000_001, 'Every byte of this file counts. '));
  const sparse = openSync(join(root, 'files/sparse'), 'w');
  ftruncateSync(sparse, 16 << 20);
  writeSync(sparse, Buffer.from('in the middle'), 0, 13, 9_999_999);
  closeSync(sparse);
  writeFileSync(join(root, 'files/hole-only'), '');
  truncateSync(join(root, 'files/hole-only'), 1 << 20);
  mkdirSync(join(root, 'empty-directory'));
  mkdirSync(join(root, 'deep/er/and/deeper/still'), { recursive: true });
  writeFileSync(join(root, 'deep/er/and/deeper/still/file'), 'deep');
};

const makeNames = (root: string): void => {
  const directory = bytes(root, '/names');
  mkdirSync(directory);
  const names: (string | Buffer)[] = [
    'n'.repeat(255), ' leading and trailing ', 'new\nline', 'tab\tand\\backslash', '-dash', '#hash', 'a=b', '"quotes\'', '*?[glob]', '\u00e9 composed',
    'e\u0301 combining', '\u{1f5c4} four bytes', Buffer.from([0x66, 0xff, 0xfe, 0x80]), Buffer.from([0xc3, 0x28]), Buffer.from([1, 2, 0x7f]),
    'sub', 'sub-sibling', 'sub.sibling',
  ];
  for (const name of names) {
    if (name === 'sub') continue;
    writeFileSync(bytes(directory, '/', name), name);
  }
  mkdirSync(bytes(directory, '/sub'));
  mkdirSync(bytes(directory, '/sub/', Buffer.from([0xff])));
  writeFileSync(bytes(directory, '/sub/', Buffer.from([0xff]), '/inside'), 'below a name that is not UTF-8');
};

const makeLinks = (root: string): void => {
  mkdirSync(join(root, 'links'));
  symlinkSync('../files/small', join(root, 'links/good'));
  symlinkSync('nowhere/at/all', join(root, 'links/dangling'));
  symlinkSync('/etc/hostname', join(root, 'links/absolute'));
  symlinkSync('../files', join(root, 'links/to-directory'));
  symlinkSync('loop', join(root, 'links/loop'));
  symlinkSync(Buffer.from([0x2e, 0x2f, 0xff, 0xfe]), join(root, 'links/not-utf8'));
  writeFileSync(join(root, 'links/hard-1'), 'one file with three names');
  linkSync(join(root, 'links/hard-1'), join(root, 'links/hard-2'));
  linkSync(join(root, 'links/hard-1'), join(root, 'deep/er/hard-3'));
  // The same content, but another file.
  writeFileSync(join(root, 'links/not-linked'), 'one file with three names');
};

const isRoot = (): boolean => process.getuid?.() === 0;

const makeSpecials = (root: string): boolean => {
  mkdirSync(join(root, 'special'));
  execFileSync('mkfifo', ['-m', '640', join(root, 'special/fifo')]);
  if (!isRoot()) return false;
  try {
    execFileSync('mknod', ['-m', '600', join(root, 'special/null'), 'c', '1', '3'], { stdio: 'ignore' });
    execFileSync('mknod', ['-m', '660', join(root, 'special/block'), 'b', '259', '70000'], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // A container without the right to make devices.
  }
};

const makeModes = (root: string): void => {
  mkdirSync(join(root, 'modes'));
  for (const mode of [0o000, 0o200, 0o400, 0o444, 0o600, 0o755, 0o4755, 0o2755, 0o1777, 0o7777]) {
    const path = join(root, `modes/file-${mode.toString(8).padStart(4, '0')}`);
    writeFileSync(path, 'x');
    chmodSync(path, mode);
  }
  for (const mode of [0o500, 0o700, 0o1777, 0o2775]) {
    const path = join(root, `modes/directory-${mode.toString(8).padStart(4, '0')}`);
    mkdirSync(path);
    writeFileSync(join(path, 'inside'), 'x');
    chmodSync(path, mode);
  }
  if (!isRoot()) return;
  writeFileSync(join(root, 'modes/owned'), 'x');
  chownSync(join(root, 'modes/owned'), 1234, 56_789);
  chmodSync(join(root, 'modes/owned'), 0o6755);
  symlinkSync('owned', join(root, 'modes/owned-link'));
  lchownSync(join(root, 'modes/owned-link'), 4321, 98_765);
};

const makeAttributes = (root: string): { xattrs: boolean; acls: boolean } => {
  mkdirSync(join(root, 'attributes'));
  for (const name of ['file', 'read-only', 'with-acl']) writeFileSync(join(root, `attributes/${name}`), name);
  mkdirSync(join(root, 'attributes/directory'));
  const attempt = (program: string, ...args: string[]): boolean => {
    if (!findTool(program)) return false;
    try {
      execFileSync(program, args, { stdio: 'ignore', cwd: join(root, 'attributes') });
      return true;
    } catch {
      return false; // A file system without them.
    }
  };
  const xattrs = attempt('setfattr', '-n', 'user.plain', '-v', 'value', 'file')
    && attempt('setfattr', '-n', 'user.binary', '-v', '0x00ff0a3d5c', 'file')
    && attempt('setfattr', '-n', 'user.k=e y', '-v', '', 'file')
    && attempt('setfattr', '-n', 'user.ro', '-v', 'kept', 'read-only')
    && attempt('setfattr', '-n', 'user.of-directory', '-v', 'd', 'directory');
  if (xattrs && isRoot()) {
    symlinkSync('file', join(root, 'attributes/link'));
    attempt('setfattr', '-h', '-n', 'trusted.of-link', '-v', 'l', 'link');
  }
  chmodSync(join(root, 'attributes/read-only'), 0o444);
  const acls = attempt('setfacl', '-m', 'u:1234:rw,g:4321:r', 'with-acl') && attempt('setfacl', '-m', 'd:u:1234:rwx', 'directory');
  if (acls) writeFileSync(join(root, 'attributes/directory/inherited'), 'has the default ACL');
  return { xattrs, acls };
};

/** By `touch`, which knows nanoseconds; directories last. */
const makeTimes = (root: string): void => {
  mkdirSync(join(root, 'times'));
  const times = ['@0', '@1', '@-1', '@-1.5', '@-1234567.890123456', '@1700000000.123456789', '@1700000000.999999999', '@4102444800.000000001', '@0.000000001'];
  times.forEach((time, i) => {
    writeFileSync(join(root, `times/file-${i}`), time);
    touch(time, join(root, `times/file-${i}`));
  });
  symlinkSync('file-0', join(root, 'times/link'));
  touch('@1234567890.987654321', join(root, 'times/link'));
  mkdirSync(join(root, 'times/directory'));
  writeFileSync(join(root, 'times/directory/newer-than-its-directory'), '');
  touch('@-3600.25', join(root, 'times/directory'));
  touch('@1000000000.5', join(root, 'times'));
};

const touch = (time: string, path: string): void => {
  execFileSync('touch', ['-h', '-d', time, path]);
};

/** Puts a listening socket at `path`; the returned function closes it. */
export const makeSocket = (path: string): Promise<() => Promise<void>> => new Promise((resolve, reject) => {
  const server = createServer();
  server.on('error', reject);
  server.listen(path, () => resolve(() => new Promise((closed) => { server.close(() => closed()); })));
});
