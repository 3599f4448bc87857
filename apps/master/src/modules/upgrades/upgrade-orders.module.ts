import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InstallModule } from '../install/install.module.ts';
import { NodesModule } from '../nodes/nodes.module.ts';
import { UpgradesHttp } from './http/upgrades.http.ts';
import { OrderUpgrades } from './order-upgrades.ts';
import { UpgradeRow } from './read-models/upgrade.entity.ts';
import { UpgradeCommands } from './upgrade-commands.process.ts';

/** Orders to upgrade agents. */
@Module({
  imports: [TypeOrmModule.forFeature([UpgradeRow]), InstallModule, NodesModule],
  controllers: [UpgradesHttp],
  providers: [OrderUpgrades, UpgradeCommands],
})
export class UpgradeOrdersModule {}
