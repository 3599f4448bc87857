import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { fault, rfc3339 } from '#kernel';
import { type CommandContext, Context } from '../../../platform/index.ts';
import { NodeCommands, NodeLookup } from '../../nodes/index.ts';
import { Credentials } from '../credentials.service.ts';
import type { CredentialRow } from '../read-models/credential.entity.ts';
import { CredentialAnswer, CredentialList, RevokeRequest } from './credential.dto.ts';

const answerOf = ({ id, publicKey, status, issuedAt, expiresAt, revokedAt, reason }: CredentialRow): CredentialAnswer => ({
  id, publicKey, status, issuedAt: rfc3339(issuedAt.getTime()), expiresAt: rfc3339(expiresAt.getTime()),
  ...(revokedAt ? { revokedAt: rfc3339(revokedAt.getTime()) } : {}),
  ...(reason === null ? {} : { reason }),
});

/** What nodes connect with. */
@ApiTags('nodes')
@Controller('api/v1/nodes')
export class CredentialsHttp {
  constructor(private readonly credentials: Credentials, private readonly nodes: NodeLookup, private readonly commands: NodeCommands) {}

  /** The node's keys, newest first. */
  @Get(':id/credentials')
  async list(@Param('id') id: string): Promise<CredentialList> {
    await this.nodes.get(id);
    return { items: (await this.credentials.list(id)).map(answerOf) };
  }

  /** Revokes all keys of the node; its connection is cut at once. It comes back with a new enrolment link only. */
  @Post(':id/credential\\:revoke') @HttpCode(204)
  async revoke(@Context() context: CommandContext, @Param('id') id: string, @Body() body: RevokeRequest): Promise<void> {
    await this.nodes.get(id);
    await this.credentials.revoke(context, id, body.reason ?? '');
  }

  /** Removes the node and revokes its keys; refused while tasks name it. Its snapshots stay. */
  @Delete(':id') @HttpCode(204)
  async remove(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    const tasks = await this.nodes.tasksOf(id);
    if (tasks.length > 0) throw fault('conflict', 'node-in-use', `Tasks name this node (${tasks.join(', ')}); change or delete them first`);
    await this.commands.remove(context, id, (unit, node) => this.credentials.revokeAll(unit, node, 'node removed'));
  }
}
