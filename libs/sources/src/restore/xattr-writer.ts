import { spawn } from 'node:child_process';
import { findTool, toolEnvironment, toolTimeoutMs } from '../tools.ts';
import type { ExtendedAttribute } from '../source.port.ts';
import { SafeTree } from './safe-tree.ts';

/** Attributes to set on one entry. Names as latin1 strings. */
export interface XattrJob {
  readonly directory: string;
  readonly name: string;
  readonly path: Buffer;
  readonly xattrs: readonly ExtendedAttribute[];
}

/** Directories handed to one call of the program as open descriptors. */
const directoriesAtOnce = 64;
const jobsAtOnce = 2000;

/** True where attributes can be set at all. */
export const canWriteXattrs = (): boolean => findTool('setfattr') !== undefined;

/**
 * Sets attributes by `setfattr --restore`, links not followed: the program gets the open directories as its own descriptors and names
 * entries below them. Tells `failed` of each path whose attributes could not all be set.
 */
export const writeXattrs = async (
  rootFd: number, jobs: readonly XattrJob[], failed: (path: Buffer, detail: string) => void,
): Promise<void> => {
  for (let start = 0; start < jobs.length;) {
    // One of its own for each call: none of its directories may be closed before the program ends.
    const tree = new SafeTree(rootFd, Number.POSITIVE_INFINITY);
    const fds = new Map<string, number>();
    const lines: string[] = [];
    const named = new Map<string, XattrJob>();
    let end = start;
    for (; end < jobs.length && end - start < jobsAtOnce; end++) {
      const job = jobs[end] as XattrJob;
      if (!fds.has(job.directory) && fds.size === directoriesAtOnce) break;
      addJob(tree, job, { fds, lines, named, failed });
    }
    start = end;
    const report = (path: string, detail: string): void => failed(named.get(path)?.path ?? Buffer.from(path, 'latin1'), detail);
    if (named.size > 0) await restore([...fds.values()], lines.join(''), report);
    tree.close();
  }
};

interface Call {
  readonly fds: Map<string, number>;
  readonly lines: string[];
  readonly named: Map<string, XattrJob>;
  readonly failed: (path: Buffer, detail: string) => void;
}

const addJob = (tree: SafeTree, job: XattrJob, call: Call): void => {
  try {
    if (!call.fds.has(job.directory)) call.fds.set(job.directory, tree.directory(job.directory));
  } catch (error) {
    return call.failed(job.path, String(error));
  }
  const path = `/proc/self/fd/${3 + [...call.fds.keys()].indexOf(job.directory)}/${job.name}`;
  call.named.set(path, job);
  call.lines.push(`# file: ${escaped(path)}\n`);
  for (const { name, value } of job.xattrs) call.lines.push(`${escaped(name.toString('latin1'))}=0x${value.toString('hex')}\n`);
  call.lines.push('\n');
};

const restore = (fds: readonly number[], input: string, failed: (path: string, detail: string) => void): Promise<void> =>
  new Promise((resolve) => {
    const child = spawn(findTool('setfattr') ?? 'setfattr', ['-h', '--restore=-'], {
      env: toolEnvironment, timeout: toolTimeoutMs, killSignal: 'SIGKILL', stdio: ['pipe', 'ignore', 'pipe', ...fds],
    });
    const messages: Buffer[] = [];
    child.stderr?.on('data', (data: Buffer) => messages.push(data));
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => { failed('', error.message); resolve(); });
    child.on('close', () => {
      const seen = new Set<string>();
      for (const [, path = '', detail = ''] of Buffer.concat(messages).toString('latin1').matchAll(/setfattr: (.*): ([^:\n]+)$/gm)) {
        if (!seen.has(path)) failed(unescaped(path), detail);
        seen.add(path);
      }
      resolve();
    });
    child.stdin?.end(Buffer.from(input, 'latin1'));
  });

/** The octal escapes that getfattr writes and setfattr reads. */
const escaped = (text: string): string =>
  text.replace(/[\x00-\x1f\\=\x7f]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);

const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
