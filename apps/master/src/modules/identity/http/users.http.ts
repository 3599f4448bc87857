import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { ApiTags } from '@nestjs/swagger';
import { Repository } from 'typeorm';
import { fault, rfc3339 } from '#kernel';
import { type CommandContext, Context, NeedsRole, mapPage, paginate } from '../../../platform/index.ts';
import { Users } from '../auth/users.ts';
import { UserRow } from '../read-models/user.entity.ts';
import { ChangePasswordRequest, ChangeUserRequest, CreateUserRequest, IdAnswer, IdentityQuery, UserAnswer, UserPage } from './identity.dto.ts';

const answerOf = ({ id, revision, name, role, status, createdAt }: UserRow): UserAnswer =>
  ({ id, revision, name, role, status, createdAt: rfc3339(createdAt.getTime()) });

/** People; for admins. */
@ApiTags('identity')
@NeedsRole('admin')
@Controller('api/v1/users')
export class UsersHttp {
  constructor(@InjectRepository(UserRow) private readonly rows: Repository<UserRow>, private readonly users: Users) {}

  /** All users, by name. */
  @Get()
  async list(@Query() query: IdentityQuery): Promise<UserPage> {
    return mapPage(await paginate(this.rows.createQueryBuilder('u'), [{ property: 'name', direction: 'ASC' }, { property: 'id', direction: 'ASC' }], query), answerOf);
  }

  @Get(':id')
  async show(@Param('id') id: string): Promise<UserAnswer> {
    const row = await this.rows.findOneBy({ id });
    if (!row) throw fault('not-found', 'user-not-found', 'There is no such user; list the users to see who there is');
    return answerOf(row);
  }

  @Post()
  async create(@Context() context: CommandContext, @Body() body: CreateUserRequest): Promise<IdAnswer> {
    return { id: await this.users.create(context, body) };
  }

  /** Grants another role. */
  @Patch(':id') @HttpCode(204)
  change(@Context() context: CommandContext, @Param('id') id: string, @Body() body: ChangeUserRequest): Promise<void> {
    return this.users.grant(context, id, body.role);
  }

  /** Sets a new password and ends the user's sessions. */
  @Post(':id/password') @HttpCode(204)
  password(@Context() context: CommandContext, @Param('id') id: string, @Body() body: ChangePasswordRequest): Promise<void> {
    return this.users.changePassword(context, id, body.password);
  }

  /** Final: the user cannot log in any more. */
  @Post(':id\\:disable') @HttpCode(204)
  disable(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    return this.users.disable(context, id);
  }
}
