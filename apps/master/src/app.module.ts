import { type DynamicModule, Module } from '@nestjs/common';
import { AuditModule } from './modules/audit/audit.module.ts';
import { CredentialsModule } from './modules/credentials/credentials.module.ts';
import { EnrolmentModule } from './modules/enrolment/enrolment.module.ts';
import { HostsModule } from './modules/hosts/hosts.module.ts';
import { IdentityModule } from './modules/identity/identity.module.ts';
import { InstallModule } from './modules/install/install.module.ts';
import { InstallationModule } from './modules/installation/installation.module.ts';
import { LiveModule } from './modules/live/live.module.ts';
import { NodesModule } from './modules/nodes/nodes.module.ts';
import { OperationsModule } from './modules/operations/operations.module.ts';
import { PresenceModule } from './modules/presence/presence.module.ts';
import { SnapshotsModule } from './modules/snapshots/snapshots.module.ts';
import { TargetsModule } from './modules/targets/targets.module.ts';
import { TasksModule } from './modules/tasks/tasks.module.ts';
import { UpgradeOrdersModule } from './modules/upgrades/upgrade-orders.module.ts';
import type { Foundation } from './platform/foundation/foundation.ts';
import { PlatformModule } from './platform/platform.module.ts';

/** The slices of the master, on one foundation. */
@Module({})
export class AppModule {
  static with(foundation: Foundation): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.with(foundation), InstallationModule, IdentityModule, NodesModule, PresenceModule, CredentialsModule, EnrolmentModule, InstallModule, UpgradeOrdersModule, TargetsModule,
        TasksModule, SnapshotsModule, HostsModule, AuditModule, LiveModule, OperationsModule,
      ],
    };
  }
}
