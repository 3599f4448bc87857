import { spawn } from 'node:child_process';
import { fault } from '#kernel';
import { findTool, toolEnvironment, toolTimeoutMs } from '../tools.ts';

/** Makes a fifo or device of mode 0600 named `name` (plain letters) in an open directory. Programs do it, as Node has no mknod. */
export const makeSpecial = (directoryFd: number, name: string, kind: 'fifo' | 'block' | 'char', rdev = 0n): Promise<void> => {
  const mknod = findTool('mknod');
  if (!mknod) throw fault('unavailable', 'mknod-missing', 'Fifos and devices need the program mknod (package coreutils)');
  const numbers = kind === 'fifo' ? [] : [String(majorOf(rdev)), String(minorOf(rdev))];
  const type = { fifo: 'p', block: 'b', char: 'c' }[kind];
  return run(mknod, ['-m', '600', '--', `/proc/self/fd/3/${name}`, type, ...numbers], directoryFd);
};

const run = (program: string, args: readonly string[], directoryFd: number): Promise<void> => new Promise((resolve, reject) => {
  const child = spawn(program, args, {
    env: toolEnvironment, timeout: toolTimeoutMs, killSignal: 'SIGKILL', stdio: ['ignore', 'ignore', 'pipe', directoryFd],
  });
  const messages: Buffer[] = [];
  child.stderr?.on('data', (data: Buffer) => messages.push(data));
  child.on('error', reject);
  child.on('close', (code) => {
    if (code === 0) resolve();
    else reject(new Error(Buffer.concat(messages).toString().trim() || `mknod ended with ${String(code)}`));
  });
});

/** Linux' encoding of device numbers (glibc's gnu_dev_major and gnu_dev_minor). */
export const majorOf = (rdev: bigint): bigint => ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
export const minorOf = (rdev: bigint): bigint => (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
