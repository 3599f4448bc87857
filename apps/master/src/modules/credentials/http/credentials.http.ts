import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Clock, rfc3339 } from '#kernel';
import { CLOCK } from '../../../platform/index.ts';
import { NodeLookup } from '../../nodes/index.ts';
import { Credentials } from '../credentials.service.ts';
import type { CredentialRow } from '../read-models/credential.entity.ts';
import { CredentialAnswer, CredentialList } from './credential.dto.ts';

const time = (date: Date): string => rfc3339(date.getTime());
const given = <T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as { [K in keyof T]?: NonNullable<T[K]> };
const timeOrNull = (date: Date | null): string | null => date && time(date);

const answerOf = (row: CredentialRow, now: number): CredentialAnswer => {
  const { id, publicKey, status, rotation, replaces, successor, reason } = row;
  return {
    id, publicKey, status: status === 'issued' && row.expiresAt.getTime() <= now ? 'expired' : status,
    firstIssuedAt: time(row.firstIssuedAt), issuedAt: time(row.issuedAt), expiresAt: time(row.expiresAt),
    ...given({
      rotation, rotationRequestedAt: timeOrNull(row.rotationRequestedAt), replaces, successor, graceUntil: timeOrNull(row.graceUntil),
      revokedAt: timeOrNull(row.revokedAt), reason,
    }),
  };
};

/** What nodes connect with. */
@ApiTags('nodes')
@Controller('api/v1/nodes')
export class CredentialsHttp {
  constructor(private readonly credentials: Credentials, private readonly nodes: NodeLookup, @Inject(CLOCK) private readonly clock: Clock) {}

  /** Every key that the node has and had, newest first. */
  @Get(':id/credentials')
  async list(@Param('id') id: string): Promise<CredentialList> {
    await this.nodes.get(id);
    const now = this.clock.now();
    return { items: (await this.credentials.list(id)).map((row) => answerOf(row, now)) };
  }
}
