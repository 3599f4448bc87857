import { Module, type Provider } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { NatsConnection } from 'nats';
import type { InstallationKeys } from '#identity';
import type { Clock } from '#kernel';
import { CommandPublisher } from '#messaging';
import { BUS, CLOCK, KEYS } from '../../platform/index.ts';
import { InstallationModule } from '../installation/installation.module.ts';
import { NodesModule } from '../nodes/nodes.module.ts';
import { RepositoryRow } from '../repositories/index.ts';
import { ExpiredSnapshots, SnapshotRow } from '../snapshots/index.ts';
import { TargetsModule } from '../targets/targets.module.ts';
import { TaskRow } from '../tasks/index.ts';
import { CatalogAdmission } from './adapters/admission.adapter.ts';
import { IdentityIdKeys } from './adapters/id-keys.adapter.ts';
import { StoredKnownChunks } from './adapters/known-chunks.adapter.ts';
import { LookupNodeDirectory } from './adapters/node-directory.adapter.ts';
import { KeyRecipients } from './adapters/recipients.adapter.ts';
import { IdentityRestoreKeys } from './adapters/restore-keys.adapter.ts';
import { RecentDirectories } from './adapters/recent-directories.ts';
import { StoredTargetAccess } from './adapters/target-access.adapter.ts';
import { StreamWaitingReports } from './adapters/waiting-reports.adapter.ts';
import { RunAsksSubscriber } from './asks/asks.subscriber.ts';
import { CatalogHandler } from './asks/catalog.handler.ts';
import { ClaimHandler } from './asks/claim.handler.ts';
import { GrantHandler } from './asks/grant.handler.ts';
import { IdKeyHandler } from './asks/id-key.handler.ts';
import { SpecificationBuilder } from './asks/specification.builder.ts';
import { SyncHandler } from './asks/sync.handler.ts';
import { CancelRunHandler } from './commands/cancel-run/cancel-run.handler.ts';
import { DispatchRunHandler } from './commands/dispatch-run/dispatch-run.handler.ts';
import { ReportRunHandler } from './commands/report-run/report-run.handler.ts';
import { ReportsSubscriber } from './commands/report-run/report-run.subscriber.ts';
import { PlaceChildHandler } from './commands/place-child/place-child.handler.ts';
import { RequestParentHandler } from './commands/request-parent/request-parent.handler.ts';
import { StartChildrenHandler } from './commands/start-children/start-children.handler.ts';
import { TakeBackHandler } from './commands/take-back/take-back.handler.ts';
import { RequestRunHandler } from './commands/request-run/request-run.handler.ts';
import { RetryRunHandler } from './commands/retry-run/retry-run.handler.ts';
import { StartRuns } from './commands/start-runs.ts';
import { Deciding } from './deciding.ts';
import { DutyWorks } from './executor/duty-works.ts';
import { Executor } from './executor/executor.ts';
import { ExecutorInstance } from './executor/executor-instance.ts';
import { ExecutorSubscriber } from './executor/executor.subscriber.ts';
import { PruneWork } from './executor/prune.work.ts';
import { VerifyWork } from './executor/verify.work.ts';
import { RunsHttp } from './http/runs.http.ts';
import { LiveAbsences, LiveExecutors } from './live/live-tables.adapter.ts';
import { RunProgress } from './live/live.entities.ts';
import { ProgressProcess } from './live/progress.process.ts';
import {
  ABSENCES, ADMISSION, COMMAND_SENDER, EXECUTORS, ID_KEYS, KNOWN_CHUNKS, NODE_DIRECTORY, PARENT_ROWS, RECIPIENTS, RESTORE_KEYS, RUN_ROWS, TARGET_ACCESS, WAITING_REPORTS,
} from './ports.ts';
import { AttemptLiveness } from './processes/attempt-liveness.ts';
import { DispatchProcess } from './processes/dispatch.process.ts';
import { ParentDuty } from './processes/parent-duty.ts';
import { ParentsProcess } from './processes/parents.process.ts';
import { RewrapProcess } from './processes/rewrap.process.ts';
import { RunDuties } from './processes/run-duties.ts';
import { SupervisionProcess } from './processes/supervision.process.ts';
import { RunRow } from './read-models/runs/run.entity.ts';
import { ReadParentRows } from './read-models/runs/parent-rows.adapter.ts';
import { ReadRunRows } from './read-models/runs/run-rows.adapter.ts';
import { RunLogs } from './read-models/runs/run-log.query.ts';
import { RunLogStream } from './read-models/runs/run-log.stream.ts';
import { RunViews } from './read-models/runs/runs.query.ts';
import { WaitingReasons } from './read-models/runs/waiting-reasons.query.ts';

const ports: Provider[] = [
  { provide: NODE_DIRECTORY, useClass: LookupNodeDirectory },
  { provide: TARGET_ACCESS, useClass: StoredTargetAccess },
  { provide: COMMAND_SENDER, useFactory: (bus: NatsConnection, keys: InstallationKeys, clock: Clock) => new CommandPublisher(bus, keys.commandSigning, clock), inject: [BUS, KEYS, CLOCK] },
  { provide: ADMISSION, useClass: CatalogAdmission },
  { provide: RUN_ROWS, useClass: ReadRunRows },
  { provide: PARENT_ROWS, useClass: ReadParentRows },
  { provide: ABSENCES, useClass: LiveAbsences },
  { provide: EXECUTORS, useClass: LiveExecutors },
  { provide: RECIPIENTS, useClass: KeyRecipients },
  { provide: RESTORE_KEYS, useClass: IdentityRestoreKeys },
  { provide: WAITING_REPORTS, useClass: StreamWaitingReports },
  { provide: ID_KEYS, useClass: IdentityIdKeys },
  { provide: KNOWN_CHUNKS, useClass: StoredKnownChunks },
];
const commands = [RequestParentHandler, StartChildrenHandler, PlaceChildHandler, RequestRunHandler, DispatchRunHandler, CancelRunHandler, RetryRunHandler, ReportRunHandler, StartRuns, TakeBackHandler];
const asks = [ClaimHandler, SyncHandler, GrantHandler, CatalogHandler, IdKeyHandler, SpecificationBuilder];
const processes = [ParentsProcess, ParentDuty, AttemptLiveness, DispatchProcess, SupervisionProcess, RewrapProcess, RunDuties, ProgressProcess];
const executor = [Executor, ExecutorInstance, DutyWorks, VerifyWork, PruneWork, ExpiredSnapshots];
const queries = [RunViews, RunLogs, RunLogStream, WaitingReasons];

/** Runs: from the request through dispatch, claim and report to one truthful end. */
@Module({
  imports: [TypeOrmModule.forFeature([RunRow, RunProgress, RepositoryRow, SnapshotRow, TaskRow]), InstallationModule, NodesModule, TargetsModule],
  controllers: [RunsHttp, RunAsksSubscriber, ReportsSubscriber, ExecutorSubscriber],
  providers: [Deciding, RecentDirectories, ...ports, ...commands, ...asks, ...processes, ...executor, ...queries],
  exports: [Deciding, RequestParentHandler, RequestRunHandler, DispatchRunHandler, StartRuns, TARGET_ACCESS, RecentDirectories, RunViews, ExpiredSnapshots],
})
export class RunsModule {}
