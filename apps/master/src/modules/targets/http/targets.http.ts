import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { ApiTags } from '@nestjs/swagger';
import { Repository } from 'typeorm';
import { fault, rfc3339 } from '#kernel';
import { type CommandContext, Context, IfMatch, mapPage, paginate } from '../../../platform/index.ts';
import type { TargetTested } from '../domain/target.events.ts';
import { TargetRow } from '../read-models/target.entity.ts';
import { TargetCommands } from '../target-commands.ts';
import { AddTargetRequest, ChangeTargetRequest, TargetAnswer, TargetIdAnswer, TargetPage, TargetQuery, TargetTestAnswer } from './target.dto.ts';

const testOf = ({ passed, presigned, steps }: TargetTested['data'], testedAt: Date | null): TargetTestAnswer => ({
  passed, access: presigned ? 'direct' : 'relay', steps: [...steps], ...(testedAt ? { testedAt: rfc3339(testedAt.getTime()) } : {}),
});

const answerOf = ({ id, revision, name, settings, addedAt, test, testedAt }: TargetRow): TargetAnswer => {
  const { kind, ...rest } = settings;
  return {
    id, revision, name, kind, addedAt: rfc3339(addedAt.getTime()),
    ...('bucket' in rest ? { s3: rest } : {}),
    ...(test ? { test: testOf(test, testedAt) } : {}),
  };
};

/** Places that store objects. */
@ApiTags('targets')
@Controller('api/v1/targets')
export class TargetsHttp {
  constructor(@InjectRepository(TargetRow) private readonly rows: Repository<TargetRow>, private readonly targets: TargetCommands) {}

  /** Targets by name. */
  @Get()
  async list(@Query() query: TargetQuery): Promise<TargetPage> {
    const rows = this.rows.createQueryBuilder('t');
    if (query.kind) rows.andWhere('t.kind = :kind', { kind: query.kind });
    return mapPage(await paginate(rows, [{ property: 'name', direction: 'ASC' }, { property: 'id', direction: 'ASC' }], query), answerOf);
  }

  @Get(':id')
  async show(@Param('id') id: string): Promise<TargetAnswer> {
    const row = await this.rows.findOneBy({ id });
    if (!row) throw fault('not-found', 'target-not-found', 'There is no such target; list the targets to see which there are');
    return answerOf(row);
  }

  /** Adds a target. Test it before a task uses it. */
  @Post()
  async add(@Context() context: CommandContext, @Body() body: AddTargetRequest): Promise<TargetIdAnswer> {
    return { id: await this.targets.add(context, body) };
  }

  /** Changes name or settings; the kind stays. Send `If-Match` to be told when somebody else was faster. */
  @Patch(':id') @HttpCode(204)
  change(@Context() context: CommandContext, @Param('id') id: string, @Body() body: ChangeTargetRequest, @IfMatch() seen?: number): Promise<void> {
    return this.targets.change(context, id, body, seen);
  }

  /** Tries the target for real: writes, reads, lists and removes small objects, and whether it keeps what a grant promises. */
  @Post(':id\\:test') @HttpCode(200)
  async test(@Context() context: CommandContext, @Param('id') id: string): Promise<TargetTestAnswer> {
    return testOf(await this.targets.test(context, id), null);
  }

  /** Removes the target here; its objects stay where they are. */
  @Delete(':id') @HttpCode(204)
  remove(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.targets.remove(context, id);
  }
}
