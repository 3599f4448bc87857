import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { root } from './embedded-stack.ts';

const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64'] ?? process.arch;
const name = `holdfast-agent-linux-${arch}`;
const folderOf = (version: string): string => join(root, 'dist', 'agent', version);
const fileOf = (version: string): string => join(folderOf(version), name);
const sumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const publish = async (version: string, file: Buffer): Promise<void> => {
  mkdirSync(folderOf(version), { recursive: true });
  const packed = await promisify(zstdCompress)(file, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  writeFileSync(fileOf(version), file, { mode: 0o755 });
  writeFileSync(`${fileOf(version)}.zst`, packed);
  writeFileSync(`${fileOf(version)}.sha256`, `${sumOf(file)}  ${name}\n${sumOf(packed)}  ${name}.zst\n`);
};

/** The agent of this checkout as one file that says this version; where masters of a stack look for it. Resolves with the file. */
export const buildAgent = async (version: string): Promise<string> => {
  const words = [join(root, 'scripts', 'build-agent.mjs'), '--out', folderOf(version), '--version', version, '--level', '1'];
  await promisify(execFile)(join(root, 'node_modules', '.bin', 'node'), words);
  return fileOf(version);
};

/** The same agent with another version of as many characters, in a fraction of the time that a build takes. */
export const copyAgent = async (from: string, version: string): Promise<void> => {
  const bytes = readFileSync(fileOf(from));
  const [before, after] = [Buffer.from(`"${from}"`), Buffer.from(`"${version}"`)];
  if (before.length !== after.length || !bytes.includes(before)) throw new Error(`${from} does not stand in its own build, or ${version} is longer or shorter`);
  for (let at = bytes.indexOf(before); at >= 0; at = bytes.indexOf(before, at + 1)) after.copy(bytes, at);
  await publish(version, bytes);
};

/** A build that says its version when it is asked and does this, in shell, when it is to serve. */
export const brokenAgent = (version: string, whenServing: string): Promise<void> =>
  publish(version, Buffer.from(`#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit 0; fi\n${whenServing}\n`));

/** Takes a build away again. */
export const removeAgent = (version: string): void => rmSync(folderOf(version), { recursive: true, force: true });
