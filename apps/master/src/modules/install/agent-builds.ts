import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { type AppError, fault } from '#kernel';
import { CONFIG, type MasterConfig } from '../../platform/index.ts';
import { projectRoot } from '../../platform/version.ts';

/** A file of a build, open; whoever asked closes it. */
export interface BuildFile {
  readonly handle: FileHandle;
  readonly name: string;
  readonly size: number;
}

/** What an agent must find when it fetches a build. */
export interface AgentRelease {
  readonly version: string;
  /** SHA-256 (hex) and bytes of the unpacked file. */
  readonly sha256: string;
  readonly size: number;
}

const versionShape = /^\d{1,4}\.\d{1,4}\.\d{1,4}(-[0-9A-Za-z.]{1,32})?$/;
const fileShape = /^linux-(amd64|arm64)(\.zst|\.sha256)?$/;

const notThere = (version: string, file: string): AppError =>
  fault('not-found', 'agent-build-missing',
    `This master has no agent ${version} for ${file}; make it with "npm run build && npm run build:agent" and put it into the folder HOLDFAST_AGENT_DIR (other versions into a folder of their name)`);

/** The agents that hosts download: `holdfast-agent-linux-<arch>` in the folder for `current`, in a folder of its name for another version. */
@Injectable()
export class AgentBuilds {
  private readonly folder: string;

  constructor(@Inject(CONFIG) config: MasterConfig) {
    this.folder = config.agentDir ?? join(projectRoot, 'dist', 'agent');
  }

  /** The version, sum and size of a build that agents can fetch: compressed. Throws `agent-build-missing`. */
  async describe(wanted: string, arch: string): Promise<AgentRelease> {
    const file = `linux-${arch}`;
    const { handle, size, folder } = await this.find(wanted, file);
    await handle.close();
    await (await this.find(wanted, `${file}.zst`)).handle.close();
    const beside = (suffix: string): Promise<string> => readFile(join(folder, `holdfast-agent-${file}${suffix}`), 'utf8').catch(() => '');
    const [sums, version] = await Promise.all([beside('.sha256'), wanted === 'current' ? beside('.version') : wanted]);
    const sha256 = sums.split('\n').find((line) => line.endsWith(`  holdfast-agent-${file}`))?.slice(0, 64) ?? '';
    if (!/^[0-9a-f]{64}$/.test(sha256) || !versionShape.test(version.trim())) throw notThere(wanted, file);
    return { version: version.trim(), sha256, size };
  }

  /** @param file `linux-amd64`, with `.zst` the compressed one, with `.sha256` the sums. Throws `agent-build-missing` (404). */
  async open(version: string, file: string): Promise<BuildFile> {
    if ((version !== 'current' && !versionShape.test(version)) || !fileShape.test(file)) throw notThere(version.slice(0, 40), file.slice(0, 40));
    return this.find(version, file);
  }

  /** The folder of its name, or the one for `current` when that holds this version. */
  private async folderOf(version: string, file: string): Promise<string> {
    if (version === 'current') return this.folder;
    const arch = file.replace(/\..*$/, '');
    const current = await readFile(join(this.folder, `holdfast-agent-${arch}.version`), 'utf8').catch(() => '');
    return current.trim() === version ? this.folder : join(this.folder, version);
  }

  private async find(version: string, file: string): Promise<BuildFile & { readonly folder: string }> {
    const name = `holdfast-agent-${file}`;
    const folder = await this.folderOf(version, file);
    const handle = await open(join(folder, name), 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw notThere(version, file);
      throw error;
    });
    const facts = await handle.stat();
    if (facts.isFile()) return { handle, name, size: facts.size, folder };
    await handle.close();
    throw notThere(version, file);
  }
}
