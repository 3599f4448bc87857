import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UpgradeReports } from './upgrade-reports.ts';
import { UpgradeRow } from './read-models/upgrade.entity.ts';

/** What became of orders to upgrade. Giving them is a module of its own, which stands on nodes and builds. */
@Module({ imports: [TypeOrmModule.forFeature([UpgradeRow])], providers: [UpgradeReports], exports: [UpgradeReports] })
export class UpgradesModule {}
