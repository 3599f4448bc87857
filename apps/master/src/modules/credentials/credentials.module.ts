import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Housekeeping } from '../../platform/index.ts';
import { NodesModule } from '../nodes/nodes.module.ts';
import { ClaimsProcess } from './claims.process.ts';
import { Credentials } from './credentials.service.ts';
import { CredentialsHttp } from './http/credentials.http.ts';
import { RenewalHttp } from './http/renewal.http.ts';
import { CredentialRow } from './read-models/credential.entity.ts';
import { Challenges } from './renewal/challenges.ts';
import { Renewals } from './renewal/renewals.service.ts';
import { CredentialAsksSubscriber } from './rotation/credential-asks.subscriber.ts';
import { CredentialDuties } from './rotation/credential-duties.process.ts';
import { RotationTeller } from './rotation/rotation-teller.ts';
import { Rotations } from './rotation/rotations.service.ts';
import { CredentialChallenge } from './vault/challenge.entity.ts';

/** What nodes connect with. */
@Module({
  imports: [TypeOrmModule.forFeature([CredentialRow, CredentialChallenge]), NodesModule],
  controllers: [CredentialsHttp, RenewalHttp, CredentialAsksSubscriber],
  providers: [Credentials, Rotations, RotationTeller, Renewals, Challenges, ClaimsProcess, CredentialDuties],
  exports: [Credentials, ClaimsProcess, Rotations],
})
export class CredentialsModule {
  constructor(housekeeping: Housekeeping, challenges: Challenges) {
    housekeeping.add(() => challenges.forget());
  }
}
