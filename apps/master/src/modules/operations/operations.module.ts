import { Module } from '@nestjs/common';
import { NodesModule } from '../nodes/nodes.module.ts';
import { ClaimsProcess } from '../credentials/index.ts';
import { CredentialsModule } from '../credentials/credentials.module.ts';
import { HealthHttp } from './health.http.ts';
import { MasterHealth } from './master-health.ts';
import { MetricsHttp } from './metrics.http.ts';
import { StreamsProcess } from './streams.process.ts';

/** What operators and their tools look at: health, status, metrics. */
@Module({ imports: [NodesModule, CredentialsModule], controllers: [HealthHttp, MetricsHttp], providers: [MasterHealth, StreamsProcess] })
export class OperationsModule {
  constructor(health: MasterHealth, claims: ClaimsProcess) {
    // Every master would say the same: none is taken out of service for it.
    health.also({ name: 'claims', advisory: true, check: async () => claims.assertInForce() });
  }
}
