import { spawn } from 'node:child_process';
import { findTool, toolEnvironment, toolTimeoutMs } from '../tools.ts';
import type { ExtendedAttribute } from '../source.port.ts';

/** What one batch of paths has. Keys are absolute paths, bytes as latin1 strings; paths without attributes are absent. */
export interface XattrBatch {
  readonly attributes: ReadonlyMap<string, readonly ExtendedAttribute[]>;
  /** Paths whose attributes could not be read, with the system's reason. */
  readonly failed: ReadonlyMap<string, string>;
}

/** Reads the extended attributes of absolute paths, links not followed. */
export type XattrReader = (paths: readonly Buffer[]) => Promise<XattrBatch>;

/**
 * A reader made of `getfattr` (Debian's `attr`), since Node has no call for it; undefined where the program is missing. `xargs -0` feeds
 * it, as it takes paths as arguments only and Node passes no raw bytes as arguments.
 */
export const xattrReader = (find: (name: string) => string | undefined = findTool): XattrReader | undefined => {
  const xargs = find('xargs');
  const getfattr = find('getfattr');
  if (!xargs || !getfattr) return undefined;
  const args = ['-0', '-r', getfattr, '-d', '-m', '-', '-e', 'hex', '-h', '--absolute-names', '--'];
  return (paths) => new Promise((resolve, reject) => {
    const child = spawn(xargs, args, { env: toolEnvironment, timeout: toolTimeoutMs, killSignal: 'SIGKILL' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => err.push(data));
    child.on('error', reject);
    // Whoever ends before reading all paths tells why by its exit.
    child.stdin.on('error', () => undefined);
    child.on('close', (code, signal) => {
      // 123: some call of getfattr failed for some path, which its messages name.
      if (code !== 0 && code !== 123) return reject(new Error(`getfattr ended with ${String(signal ?? code)}`));
      resolve({ attributes: parseAttributes(Buffer.concat(out)), failed: parseFailures(Buffer.concat(err)) });
    });
    child.stdin.end(Buffer.concat(paths.flatMap((path) => [path, Buffer.of(0)])));
  });
};

/** The format of `getfattr -d -e hex`: `# file: NAME`, lines `KEY=0xHEX`, an empty line; names with octal escapes. */
export const parseAttributes = (text: Buffer): ReadonlyMap<string, readonly ExtendedAttribute[]> => {
  const files = new Map<string, ExtendedAttribute[]>();
  let current: ExtendedAttribute[] = [];
  for (const line of text.toString('latin1').split('\n')) {
    if (line.startsWith('# file: ')) {
      current = [];
      files.set(unescaped(line.slice(8)), current);
    } else if (line !== '') {
      const cut = line.indexOf('=');
      const name = unescaped(cut < 0 ? line : line.slice(0, cut));
      const value = cut < 0 ? '' : line.slice(cut + 1).replace(/^0x/, '');
      current.push({ name: Buffer.from(name, 'latin1'), value: Buffer.from(value, 'hex') });
    }
  }
  for (const attributes of files.values()) attributes.sort((a, b) => a.name.compare(b.name));
  return files;
};

/** `getfattr: PATH: reason` lines; what vanished meanwhile is not a failure of its attributes. */
const parseFailures = (text: Buffer): ReadonlyMap<string, string> => {
  const failed = new Map<string, string>();
  for (const match of text.toString('latin1').matchAll(/^[^\n]*?getfattr: (.*): ([^:\n]+)$/gm)) {
    const [, path = '', reason = ''] = match;
    if (reason !== 'No such file or directory') failed.set(unescaped(path), reason);
  }
  return failed;
};

const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
