import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Housekeeping } from '../../platform/index.ts';
import { CredentialsModule } from '../credentials/credentials.module.ts';
import { NodesModule } from '../nodes/nodes.module.ts';
import { CommandConsumers } from './command-consumers.process.ts';
import { Enrolment } from './enrolment.service.ts';
import { EnrolmentHttp } from './http/enrolment.http.ts';
import { SelfSubscriber } from './self.subscriber.ts';
import { LinkToken } from './vault/link-token.entity.ts';

/** How agents become nodes. */
@Module({
  imports: [TypeOrmModule.forFeature([LinkToken]), CredentialsModule, NodesModule],
  controllers: [EnrolmentHttp, SelfSubscriber],
  providers: [Enrolment, CommandConsumers],
})
export class EnrolmentModule {
  constructor(housekeeping: Housekeeping, enrolment: Enrolment) {
    housekeeping.add(() => enrolment.expire());
  }
}
