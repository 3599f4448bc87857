import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { LiveHub, liveTopics } from './live-hub.ts';
import { LiveQuery } from './live.dto.ts';

/** What has just changed, as server-sent events. */
@ApiTags('live')
@Controller('api/v1/live')
export class LiveHttp {
  constructor(private readonly hub: LiveHub) {}

  /**
   * A stream of `run`, `node`, `presence`, `task`, `target`, `snapshot` (id, type, revision: read the thing again) and `progress`
   * (run, node, counts). `reload` after a gap: read the lists again.
   */
  @Get()
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'Server-sent events', schema: { type: 'string' } })
  stream(@Query() query: LiveQuery, @Req() request: Request, @Res() response: Response): void {
    const last = request.header('last-event-id') ?? '';
    this.hub.add(response, query.topics ?? liveTopics, /^\d{1,15}$/.test(last) ? Number(last) : undefined);
  }
}
