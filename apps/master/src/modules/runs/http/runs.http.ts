import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiProduces, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { fault } from '#kernel';
import { type CommandContext, Context } from '../../../platform/index.ts';
import { CancelRunHandler } from '../commands/cancel-run/cancel-run.handler.ts';
import { RetryRunHandler } from '../commands/retry-run/retry-run.handler.ts';
import { RunLogs } from '../read-models/runs/run-log.query.ts';
import { RunLogStream } from '../read-models/runs/run-log.stream.ts';
import { RunViews } from '../read-models/runs/runs.query.ts';
import { RunDetailAnswer, RunLogAnswer, RunLogEndEvent, RunLogLinesEvent, RunLogQuery, RunPage, RunQuery } from './run.dto.ts';

/** Executions. */
@ApiTags('runs')
@Controller('api/v1/runs')
export class RunsHttp {
  constructor(
    private readonly views: RunViews,
    private readonly logs: RunLogs,
    private readonly streams: RunLogStream,
    private readonly cancels: CancelRunHandler,
    private readonly retries: RetryRunHandler,
  ) {}

  /** Runs, the latest first; filters may be combined. */
  @Get()
  list(@Query() query: RunQuery): Promise<RunPage> {
    return this.views.list(query);
  }

  /** One run with its attempts, faults and progress. */
  @Get(':id')
  show(@Param('id') id: string): Promise<RunDetailAnswer> {
    return this.views.show(id);
  }

  /**
   * The log of a run as its agent sent it, oldest lines first; ask again with `after` for what has come since. With `follow` as
   * server-sent events: `lines` (the lines so far, then each as it comes) and, when the run has ended, `end` (its status). The id of an
   * event is its `position`; whoever comes back with it as `Last-Event-ID` goes on behind it, or gets 204 when the run has ended and
   * nothing is left.
   */
  @Get(':id/log')
  @ApiExtraModels(RunLogAnswer, RunLogLinesEvent, RunLogEndEvent)
  @ApiProduces('application/json', 'text/event-stream')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Id of the last event that was seen; stands above `after`' })
  @ApiOkResponse({
    description: 'The lines; or with `follow` a stream of `lines` (RunLogLinesEvent) and `end` (RunLogEndEvent)',
    content: { 'application/json': { schema: { $ref: getSchemaPath(RunLogAnswer) } }, 'text/event-stream': { schema: { type: 'string' } } },
  })
  @ApiNoContentResponse({ description: 'The run has ended and there is nothing behind `Last-Event-ID`' })
  async log(@Param('id') id: string, @Query() query: RunLogQuery, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { node } = await this.views.show(id);
    if (node === undefined) throw fault('refused', 'run-has-no-log', 'The run is a parent; ask for the log of one of its children, GET /api/v1/runs?parent=...');
    const last = request.header('last-event-id') ?? '';
    const resumed = /^\d{1,15}$/.test(last);
    const after = resumed ? Number(last) : (query.after ?? 0);
    if (query.follow) return this.streams.follow({ run: id, node, after, resumed }, response);
    response.json(await this.logs.read(node, id, after));
  }

  /** Ends a run: at once while it waits, otherwise when its agent confirms. A parent run with all of its children. */
  @Post(':id\\:cancel') @HttpCode(200)
  async cancel(@Context() context: CommandContext, @Param('id') id: string): Promise<RunDetailAnswer> {
    await this.cancels.cancel(context, id);
    return this.views.show(id);
  }

  /** Queues a run that ended without a result once more; of a parent run those of its children that did. */
  @Post(':id\\:retry') @HttpCode(200)
  async retry(@Context() context: CommandContext, @Param('id') id: string): Promise<RunDetailAnswer> {
    await this.retries.retry(context, id);
    return this.views.show(id);
  }
}
