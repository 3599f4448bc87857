import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { fault, rfc3339 } from '#kernel';
import { type CommandContext, Context, mapPage, paginate } from '../../../platform/index.ts';
import { RepositoryRow } from '../../repositories/index.ts';
import { SnapshotCommands } from '../commands/snapshot.commands.service.ts';
import { PruneRequest, RepositoryAnswer, RepositoryPage, RepositoryQuery } from './repository.dto.ts';
import { RequestedRunAnswer } from './snapshot.dto.ts';

/** What the last prune counted, where it did. */
const countedIn = ({ storedBytes, livePlainBytes, keptPlainBytes }: RepositoryRow): Partial<RepositoryAnswer> => {
  if (storedBytes === null || livePlainBytes === null || keptPlainBytes === null) return {};
  const dead = Math.max(0, keptPlainBytes - livePlainBytes);
  return { storedBytes, livePlainBytes, keptPlainBytes, compactableBytes: dead === 0 ? 0 : Math.round((storedBytes * dead) / keptPlainBytes) };
};

const answerOf = (row: RepositoryRow): RepositoryAnswer => ({
  id: row.id, revision: row.revision, node: row.node, target: row.target, generation: row.generation, snapshots: row.snapshots, leases: row.leases,
  deletedBytes: row.deletedBytes, ...countedIn(row),
  ...(row.repositoryId === null ? {} : { repositoryId: row.repositoryId }), ...(row.latestSnapshot === null ? {} : { latestSnapshot: row.latestSnapshot }),
  ...(row.createdAt ? { createdAt: rfc3339(row.createdAt.getTime()) } : {}), ...(row.prunedAt ? { prunedAt: rfc3339(row.prunedAt.getTime()) } : {}),
});

/** Repositories. */
@ApiTags('repositories')
@Controller('api/v1/repositories')
export class RepositoriesHttp {
  constructor(@InjectRepository(RepositoryRow) private readonly rows: Repository<RepositoryRow>, private readonly snapshots: SnapshotCommands) {}

  @Get()
  async list(@Query() { node, target, ...page }: RepositoryQuery): Promise<RepositoryPage> {
    const query = this.rows.createQueryBuilder('r');
    if (node !== undefined) query.andWhere('r.node = :node', { node });
    if (target !== undefined) query.andWhere('r.target = :target', { target });
    return mapPage(await paginate(query, [{ property: 'id', direction: 'ASC' }], page), answerOf);
  }

  @Get(':id')
  async show(@Param('id') id: string): Promise<RepositoryAnswer> {
    return answerOf(await this.row(id));
  }

  /** Forgets the snapshots that the tasks' retention no longer keeps, and deletes what only they needed. */
  @Post(':id\\:prune') @HttpCode(201)
  async prune(@Context() context: CommandContext, @Param('id') id: string, @Body() body: PruneRequest): Promise<RequestedRunAnswer> {
    return { id: await this.snapshots.prune(context, await this.row(id), body.dryRun ?? false) };
  }

  private async row(id: string): Promise<RepositoryRow> {
    const row = await this.rows.findOneBy({ id });
    if (!row) throw fault('not-found', 'repository-not-found', 'There is no such repository; list them with GET /api/v1/repositories');
    return row;
  }
}
