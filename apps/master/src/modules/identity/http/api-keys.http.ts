import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { ApiTags } from '@nestjs/swagger';
import { Repository } from 'typeorm';
import { type Clock, parseTime, rfc3339 } from '#kernel';
import { CLOCK, type CommandContext, Context, NeedsRole, invalidRequest, mapPage, paginate } from '../../../platform/index.ts';
import { ApiKeys } from '../auth/api-keys.ts';
import { ApiKeyRow } from '../read-models/api-key.entity.ts';
import { ApiKeyAnswer, ApiKeyCreatedAnswer, ApiKeyPage, CreateApiKeyRequest, IdentityQuery } from './identity.dto.ts';

const answerOf = ({ id, revision, name, role, status, createdAt, createdBy, expiresAt }: ApiKeyRow): ApiKeyAnswer => ({
  id, revision, name, role, status, createdBy, createdAt: rfc3339(createdAt.getTime()),
  ...(expiresAt ? { expiresAt: rfc3339(expiresAt.getTime()) } : {}),
});

/** Keys for programs; for admins. */
@ApiTags('identity')
@NeedsRole('admin')
@Controller('api/v1/api-keys')
export class ApiKeysHttp {
  constructor(
    @InjectRepository(ApiKeyRow) private readonly rows: Repository<ApiKeyRow>,
    private readonly apiKeys: ApiKeys,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** All keys, by name, without their secrets. */
  @Get()
  async list(@Query() query: IdentityQuery): Promise<ApiKeyPage> {
    return mapPage(await paginate(this.rows.createQueryBuilder('k'), [{ property: 'name', direction: 'ASC' }, { property: 'id', direction: 'ASC' }], query), answerOf);
  }

  /** Makes a key. The answer is the only place where its secret is ever shown. */
  @Post()
  async create(@Context() context: CommandContext, @Body() body: CreateApiKeyRequest): Promise<ApiKeyCreatedAnswer> {
    const { name, role } = body;
    if (body.expiresAt === undefined) return this.apiKeys.create(context, { name, role });
    const expiresAt = parseTime(body.expiresAt);
    if (!(expiresAt > this.clock.now())) throw invalidRequest([{ field: 'expiresAt', detail: 'expiresAt must be a time in the future' }]);
    return this.apiKeys.create(context, { name, role, expiresAt });
  }

  /** Revokes a key at once. */
  @Delete(':id') @HttpCode(204)
  revoke(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.apiKeys.revoke(context, id);
  }
}
