import { Body, Controller, Delete, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { fault, someOf } from '#kernel';
import { CONFIG, type CommandContext, Context, type MasterConfig, publicUrlOf } from '../../../platform/index.ts';
import { Credentials, Rotations } from '../../credentials/index.ts';
import { NodeCommands, NodeLookup } from '../../nodes/index.ts';
import type { InstallOptions } from '../domain/enrolment.events.ts';
import { Enrolment } from '../enrolment.service.ts';
import { installCommands } from '../install-commands.ts';
import { linkLives } from './install-options.dto.ts';
import { RevokeRequest, RotateAnswer, RotateRequest } from './rotation.dto.ts';

/** New keys for a node, from its agent when that is there, else through a link for the same node; and their end, with every way to new ones. */
@ApiTags('nodes')
@Controller('api/v1/nodes')
export class RotationHttp {
  constructor(
    private readonly rotations: Rotations,
    private readonly credentials: Credentials,
    private readonly enrolment: Enrolment,
    private readonly nodes: NodeLookup,
    private readonly commands: NodeCommands,
    @Inject(CONFIG) private readonly config: MasterConfig,
  ) {}

  /**
   * Rotates the node's key. An online agent makes a new pair and goes on without interrupting its work; the old one works for the grace.
   * For a node that is offline the answer is a one-time link for the same node; spending it revokes every earlier key at once. 409
   * `rotation-under-way` while an earlier rotation is not over, `agent-too-old` or `agent-too-new` for an agent outside the masters' window. An
   * agent that has not answered after seven days is no longer asked.
   */
  @Post(':id/credential\\:rotate') @HttpCode(200) @ApiOperation({ operationId: 'Credentials_rotate' })
  async rotate(@Context() context: CommandContext, @Param('id') id: string, @Body() body: RotateRequest): Promise<RotateAnswer> {
    const { online, gate } = await this.nodes.get(id);
    if (!online || body.byLink) return this.byLink(context, id, body);
    // Whether an agent of such a version understands the order nobody knows.
    if (gate) throw fault('conflict', gate.code, `${gate.detail}. Until then its key is rotated by a link only`);
    const { id: rotation, graceSeconds } = await this.rotations.request(context, id, body.graceSeconds);
    return { by: 'agent', rotation, graceSeconds };
  }

  /** No longer asks the agent, which has not answered; its key stays. 409 `rotation-answered` when it has, `rotation-not-open` when it was not asked. */
  @Post(':id/credential\\:cancel-rotation') @HttpCode(204) @ApiOperation({ operationId: 'Credentials_cancelRotation' })
  async cancel(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    await this.nodes.get(id);
    await this.rotations.cancel(context, id);
  }

  /**
   * Revokes all keys of the node: when this is answered, its connection is cut. It comes back with a new enrolment link only; links that were
   * open are taken back with the keys. 503 with `claims-...` when the NATS servers do not confirm: the revocation stands and goes on being tried.
   */
  @Post(':id/credential\\:revoke') @HttpCode(204) @ApiOperation({ operationId: 'Credentials_revoke' })
  async revoke(@Context() context: CommandContext, @Param('id') id: string, @Body() body: RevokeRequest): Promise<void> {
    await this.nodes.get(id);
    await this.credentials.revoke(context, id, body.reason ?? '', (unit) => this.enrolment.takeBack(unit, id));
  }

  /** Removes the node, revokes its keys and takes its open links back; refused while tasks name it. Its snapshots stay. */
  @Delete(':id') @HttpCode(204) @ApiOperation({ operationId: 'Nodes_remove' })
  async remove(@Context() context: CommandContext, @Param('id') id: string): Promise<void> {
    const tasks = await this.nodes.tasksOf(id);
    if (tasks.length > 0) throw fault('conflict', 'node-in-use', `Tasks name this node (${someOf(tasks)}); change or delete them first`);
    await this.commands.remove(context, id, async (unit, node) => {
      const revoked = await this.credentials.revokeAll(unit, node, 'node removed');
      return revoked.ok ? this.enrolment.takeBack(unit, node) : revoked;
    });
  }

  private async byLink(context: CommandContext, node: string, { life = '15m', mode = 'systemd' }: RotateRequest): Promise<RotateAnswer> {
    const install: InstallOptions = { mode, arch: 'auto', version: 'current' };
    const { id, token, expiresAt } = await this.enrolment.issue(context, node, linkLives[life], install);
    return { by: 'link', link: { id, node, token, expiresAt, remainingSeconds: linkLives[life] / 1000, ...installCommands(publicUrlOf(this.config), token, install) } };
  }
}
