import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { fault } from '#kernel';
import { type CommandContext, Context, IfMatch } from '../../../platform/index.ts';
import { definitionOf } from '../commands/task-definition.mapper.ts';
import { TaskCommands } from '../commands/task.commands.service.ts';
import { TaskViews } from '../read-models/tasks/tasks.query.ts';
import {
  ChangeTaskRequest, DefineTaskRequest, PreviewAnswer, PreviewTaskRequest, RunTaskRequest, StartedAnswer, TaskAnswer, TaskIdAnswer, TaskPage, TaskQuery,
} from './task.dto.ts';

/** What to back up, from where, when, and to which target. */
@ApiTags('tasks')
@Controller('api/v1/tasks')
export class TasksHttp {
  constructor(private readonly views: TaskViews, private readonly tasks: TaskCommands) {}

  /** Tasks by name; filters may be combined. */
  @Get()
  list(@Query() query: TaskQuery): Promise<TaskPage> {
    return this.views.list(query);
  }

  @Get(':id')
  show(@Param('id') id: string): Promise<TaskAnswer> {
    return this.views.show(id);
  }

  @Post()
  async define(@Context() context: CommandContext, @Body() body: DefineTaskRequest): Promise<TaskIdAnswer> {
    return { id: await this.tasks.define(context, definitionOf(body)) };
  }

  /** Changes what is given; the rest stays. Send `If-Match` to be told when somebody else was faster. */
  @Patch(':id') @HttpCode(204)
  change(@Context() context: CommandContext, @Param('id') id: string, @Body() body: ChangeTaskRequest, @IfMatch() seen?: number): Promise<void> {
    return this.tasks.change(context, id, body, seen);
  }

  /** Deletes the task. Its snapshots stay. */
  @Delete(':id') @HttpCode(204)
  remove(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.tasks.remove(context, id);
  }

  /** Starts the task now, on all of its nodes or on those named; one that chooses its nodes as one parent run. */
  @Post(':id\\:run') @HttpCode(201)
  async run(@Context() context: CommandContext, @Param('id') id: string, @Body() body: RunTaskRequest): Promise<StartedAnswer> {
    const runs = await this.tasks.run(context, id, body.nodes);
    const [first] = runs;
    if (first === undefined) throw fault('refused', 'task-without-nodes', 'The task covers no node; change it first');
    return { id: first, runs };
  }

  /** Lets the schedule rest; a start by hand is still possible. */
  @Post(':id\\:pause') @HttpCode(204)
  pause(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.tasks.pause(context, id);
  }

  /** Lets the schedule go on. What it missed meanwhile is not made up for. */
  @Post(':id\\:resume') @HttpCode(204)
  resume(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.tasks.resume(context, id);
  }

  /** What the task will do, without doing it. */
  @Post(':id\\:preview') @HttpCode(200)
  preview(@Param('id') id: string, @Body() body: PreviewTaskRequest): Promise<PreviewAnswer> {
    return this.views.preview(id, body.instants ?? 5);
  }
}
