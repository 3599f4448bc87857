import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompressSync } from 'node:zlib';
import { root } from './embedded-stack.ts';

const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64'] ?? process.arch;
const folderOf = (version: string): string => join(root, 'dist', 'agent', version);

/** The agent of this checkout as one file that says this version; where masters of a stack look for it. Resolves with the file. */
export const buildAgent = async (version: string): Promise<string> => {
  const words = [join(root, 'scripts', 'build-agent.mjs'), '--out', folderOf(version), '--version', version, '--level', '1'];
  await promisify(execFile)(join(root, 'node_modules', '.bin', 'node'), words);
  return join(folderOf(version), `holdfast-agent-linux-${arch}`);
};

/** A build that says its version when it is asked and does this, in shell, when it is to serve. */
export const brokenAgent = (version: string, whenServing: string): void => {
  const folder = folderOf(version);
  mkdirSync(folder, { recursive: true });
  const file = Buffer.from(`#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit 0; fi\n${whenServing}\n`);
  const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const name = `holdfast-agent-linux-${arch}`;
  const packed = zstdCompressSync(file);
  writeFileSync(join(folder, name), file, { mode: 0o755 });
  writeFileSync(join(folder, `${name}.zst`), packed);
  writeFileSync(join(folder, `${name}.sha256`), `${sum(file)}  ${name}\n${sum(packed)}  ${name}.zst\n`);
};

/** Takes a build away again. */
export const removeAgent = (version: string): void => rmSync(folderOf(version), { recursive: true, force: true });
