import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NodesModule } from '../nodes/nodes.module.ts';
import { ClaimsProcess } from './claims.process.ts';
import { Credentials } from './credentials.service.ts';
import { CredentialsHttp } from './http/credentials.http.ts';
import { CredentialRow } from './read-models/credential.entity.ts';

/** What nodes connect with. */
@Module({
  imports: [TypeOrmModule.forFeature([CredentialRow]), NodesModule],
  controllers: [CredentialsHttp],
  providers: [Credentials, ClaimsProcess],
  exports: [Credentials, ClaimsProcess],
})
export class CredentialsModule {}
