import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type CommandContext, Context } from '../../../platform/index.ts';
import { CancelRunHandler } from '../commands/cancel-run/cancel-run.handler.ts';
import { RetryRunHandler } from '../commands/retry-run/retry-run.handler.ts';
import { RunLogs } from '../read-models/runs/run-log.query.ts';
import { RunViews } from '../read-models/runs/runs.query.ts';
import { RunDetailAnswer, RunLogAnswer, RunLogQuery, RunPage, RunQuery } from './run.dto.ts';

/** Executions. */
@ApiTags('runs')
@Controller('api/v1/runs')
export class RunsHttp {
  constructor(private readonly views: RunViews, private readonly logs: RunLogs, private readonly cancels: CancelRunHandler, private readonly retries: RetryRunHandler) {}

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

  /** The log of a run as its agent sent it, oldest lines first; ask again with `after` for what has come since. */
  @Get(':id/log')
  async log(@Param('id') id: string, @Query() { after = 0 }: RunLogQuery): Promise<RunLogAnswer> {
    const { node } = await this.views.show(id);
    return this.logs.read(node, id, after);
  }

  /** Ends a run: at once while it waits, otherwise when its agent confirms. */
  @Post(':id\\:cancel') @HttpCode(200)
  async cancel(@Context() context: CommandContext, @Param('id') id: string): Promise<RunDetailAnswer> {
    await this.cancels.cancel(context, id);
    return this.views.show(id);
  }

  /** Queues a run that ended without a result once more. */
  @Post(':id\\:retry') @HttpCode(200)
  async retry(@Context() context: CommandContext, @Param('id') id: string): Promise<RunDetailAnswer> {
    await this.retries.retry(context, id);
    return this.views.show(id);
  }
}
