import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NodesModule } from '../nodes/nodes.module.ts';
import { RunsModule } from '../runs/runs.module.ts';
import { SnapshotRow } from '../snapshots/index.ts';
import { TargetRow } from '../targets/index.ts';
import { TaskCommands } from './commands/task.commands.service.ts';
import { TasksHttp } from './http/tasks.http.ts';
import { SCHEDULE_ROWS } from './ports.ts';
import { ScheduleDuty } from './processes/schedule-duty.ts';
import { ScheduleProcess } from './processes/schedule.process.ts';
import { ScheduledRequests } from './processes/scheduled-requests.ts';
import { TaskLaneRow, TaskRow } from './read-models/tasks/task.entity.ts';
import { TaskViews } from './read-models/tasks/tasks.query.ts';

/** What to back up, when, and where to. */
@Module({
  imports: [TypeOrmModule.forFeature([TaskRow, TaskLaneRow, SnapshotRow, TargetRow]), NodesModule, RunsModule],
  controllers: [TasksHttp],
  providers: [TaskCommands, TaskViews, ScheduleProcess, ScheduledRequests, ScheduleDuty, { provide: SCHEDULE_ROWS, useExisting: TaskViews }],
})
export class TasksModule {}
