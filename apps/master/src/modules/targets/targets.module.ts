import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RelayHttp } from './http/relay.http.ts';
import { TargetsHttp } from './http/targets.http.ts';
import { TargetRow } from './read-models/target.entity.ts';
import { TargetCommands } from './target-commands.ts';
import { TargetStores } from './target-stores.ts';
import { TargetSecret } from './vault/target-secret.entity.ts';

/** Places that store objects. */
@Module({
  imports: [TypeOrmModule.forFeature([TargetRow, TargetSecret])],
  controllers: [TargetsHttp, RelayHttp],
  providers: [TargetCommands, TargetStores],
  exports: [TargetStores],
})
export class TargetsModule {}
