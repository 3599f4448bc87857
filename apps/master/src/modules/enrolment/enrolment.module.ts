import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Housekeeping } from '../../platform/index.ts';
import { CredentialsModule } from '../credentials/credentials.module.ts';
import { NodesModule } from '../nodes/nodes.module.ts';
import { PresenceModule } from '../presence/presence.module.ts';
import { UpgradesModule } from '../upgrades/upgrades.module.ts';
import { EnrolmentBatches } from './batches.service.ts';
import { CommandConsumers } from './command-consumers.process.ts';
import { EnrolmentLinks } from './enrolment-links.query.ts';
import { Enrolment } from './enrolment.service.ts';
import { BatchesHttp } from './http/batches.http.ts';
import { EnrolmentHttp } from './http/enrolment.http.ts';
import { RotationHttp } from './http/rotation.http.ts';
import { LinkExpiry } from './link-expiry.process.ts';
import { EnrolmentLinkRow } from './read-models/enrolment-link.entity.ts';
import { SelfSubscriber } from './self.subscriber.ts';
import { LinkToken } from './vault/link-token.entity.ts';

/** How agents become nodes. */
@Module({
  imports: [TypeOrmModule.forFeature([LinkToken, EnrolmentLinkRow]), CredentialsModule, NodesModule, PresenceModule, UpgradesModule],
  controllers: [EnrolmentHttp, BatchesHttp, RotationHttp, SelfSubscriber],
  providers: [Enrolment, EnrolmentBatches, EnrolmentLinks, LinkExpiry, CommandConsumers],
  exports: [Enrolment],
})
export class EnrolmentModule {
  constructor(housekeeping: Housekeeping, enrolment: Enrolment) {
    housekeeping.add(() => enrolment.forget());
  }
}
