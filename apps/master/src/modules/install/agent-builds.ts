import { open } from 'node:fs/promises';
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

  /** @param file `linux-amd64`, with `.zst` the compressed one, with `.sha256` the sums. Throws `agent-build-missing` (404). */
  async open(version: string, file: string): Promise<BuildFile> {
    if ((version !== 'current' && !versionShape.test(version)) || !fileShape.test(file)) throw notThere(version.slice(0, 40), file.slice(0, 40));
    const name = `holdfast-agent-${file}`;
    const folder = version === 'current' ? this.folder : join(this.folder, version);
    const handle = await open(join(folder, name), 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw notThere(version, file);
      throw error;
    });
    const facts = await handle.stat();
    if (facts.isFile()) return { handle, name, size: facts.size };
    await handle.close();
    throw notThere(version, file);
  }
}
