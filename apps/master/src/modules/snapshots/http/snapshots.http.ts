import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type CommandContext, Context, IfMatch } from '../../../platform/index.ts';
import { BrowseSnapshot } from '../browse/browse-snapshot.ts';
import { SnapshotCommands } from '../commands/snapshot.commands.service.ts';
import { SnapshotViews } from '../read-models/snapshots/snapshots.query.ts';
import {
  EntriesQuery, EntryPage, HoldRequest, RequestedRunAnswer, RestoreRequest, SnapshotAnswer, SnapshotPage, SnapshotQuery, VerifyRequest,
} from './snapshot.dto.ts';

/** Restorable points in time. */
@ApiTags('snapshots')
@Controller('api/v1/snapshots')
export class SnapshotsHttp {
  constructor(private readonly views: SnapshotViews, private readonly commands: SnapshotCommands, private readonly browse: BrowseSnapshot) {}

  /** Snapshots, the latest first; filters may be combined. */
  @Get()
  list(@Query() query: SnapshotQuery): Promise<SnapshotPage> {
    return this.views.list(query);
  }

  @Get(':id')
  show(@Param('id') id: string): Promise<SnapshotAnswer> {
    return this.views.show(id);
  }

  /** The entries of one directory. */
  @Get(':id/entries')
  async entries(@Param('id') id: string, @Query() { path = '/', limit = 200, cursor }: EntriesQuery): Promise<EntryPage> {
    const place = await this.views.row(id);
    return this.browse.entries(place, { path, limit, ...(cursor === undefined ? {} : { cursor }) });
  }

  /** Brings the snapshot, or a part of it, back on a node. */
  @Post(':id\\:restore') @HttpCode(201)
  async restore(@Context() context: CommandContext, @Param('id') id: string, @Body() body: RestoreRequest): Promise<RequestedRunAnswer> {
    return { id: await this.commands.restore(context, id, body) };
  }

  /** Proves that the snapshot can be read, to the given level. */
  @Post(':id\\:verify') @HttpCode(201)
  async verify(@Context() context: CommandContext, @Param('id') id: string, @Body() body: VerifyRequest): Promise<RequestedRunAnswer> {
    return { id: await this.commands.verify(context, id, body.level ?? '2c') };
  }

  /** Keeps the snapshot whatever its task's retention says. */
  @Post(':id\\:hold') @HttpCode(204)
  hold(@Context() context: CommandContext, @Param('id') id: string, @Body() body: HoldRequest, @IfMatch() seen?: number): Promise<void> {
    return this.commands.hold(context, id, body.reason ?? '', seen);
  }

  @Post(':id\\:release') @HttpCode(204)
  release(@Context() context: CommandContext, @Param('id') id: string, @IfMatch() seen?: number): Promise<void> {
    return this.commands.release(context, id, seen);
  }
}
