import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NodesModule } from '../nodes/nodes.module.ts';
import { RepositoryRow } from '../repositories/index.ts';
import { RunsModule } from '../runs/runs.module.ts';
import { BrowseSnapshot } from './browse/browse-snapshot.ts';
import { SnapshotCommands } from './commands/snapshot.commands.service.ts';
import { RepositoriesHttp } from './http/repositories.http.ts';
import { SnapshotsHttp } from './http/snapshots.http.ts';
import { SnapshotRow } from './read-models/snapshots/snapshot.entity.ts';
import { SnapshotViews } from './read-models/snapshots/snapshots.query.ts';
import { RetentionProcess } from './retention/retention.process.ts';

/** Restorable points in time, and the repositories they lie in. */
@Module({
  imports: [TypeOrmModule.forFeature([SnapshotRow, RepositoryRow]), NodesModule, RunsModule],
  controllers: [SnapshotsHttp, RepositoriesHttp],
  providers: [SnapshotCommands, SnapshotViews, BrowseSnapshot, RetentionProcess],
})
export class SnapshotsModule {}
