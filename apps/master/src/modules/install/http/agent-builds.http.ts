import { pipeline } from 'node:stream/promises';
import { Controller, Get, Inject, Param, Res, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Logger, fault, messageOf } from '#kernel';
import { AddressLimit, LOGGER, Public } from '../../../platform/index.ts';
import { AgentBuilds } from '../agent-builds.ts';

/** Downloads at the same time; more are told to come back. */
const atOnce = 64;

/** The agent as one file, for hosts that reach nothing but their master. There is no secret in it, so there is no log-in. */
@ApiTags('installation of agents')
@Public()
@UseGuards(AddressLimit)
@Controller('api/v1/agent')
export class AgentBuildsHttp {
  private running = 0;

  constructor(private readonly builds: AgentBuilds, @Inject(LOGGER) private readonly logger: Logger) {}

  /** One file of a build; 404 `agent-build-missing` when this master does not have it. */
  @Get(':version/:file')
  @ApiParam({ name: 'version', description: '`current` or a version such as `0.1.0`' })
  @ApiParam({ name: 'file', description: '`linux-amd64` or `linux-arm64`; with `.zst` compressed, with `.sha256` the SHA-256 of both as `sha256sum` writes them' })
  @ApiProduces('application/octet-stream', 'application/zstd', 'text/plain')
  @ApiOkResponse({ description: 'The file', schema: { type: 'string', format: 'binary' } })
  async download(@Param('version') version: string, @Param('file') file: string, @Res() response: Response): Promise<void> {
    if (this.running >= atOnce) throw fault('unavailable', 'too-many-downloads', 'Too many hosts download their agent right now; try again in a minute');
    this.running++;
    try {
      const { handle, name, size } = await this.builds.open(version, file);
      const type = name.endsWith('.sha256') ? 'text/plain; charset=utf-8' : name.endsWith('.zst') ? 'application/zstd' : 'application/octet-stream';
      response.set({ 'content-type': type, 'content-length': String(size), 'content-disposition': `attachment; filename="${name}"`, 'cache-control': 'no-cache' });
      // The stream closes the file, however it ends. A host that went away is no fault of the master.
      await pipeline(handle.createReadStream(), response).catch((error: unknown) => this.logger.info('A download of the agent was broken off', { name, error: messageOf(error) }));
    } finally {
      this.running--;
    }
  }
}
