import { Module } from '@nestjs/common';
import { NodesModule } from '../nodes/nodes.module.ts';
import { HealthHttp } from './health.http.ts';
import { MasterHealth } from './master-health.ts';
import { MetricsHttp } from './metrics.http.ts';
import { StreamsProcess } from './streams.process.ts';

/** What operators and their tools look at: health, status, metrics. */
@Module({ imports: [NodesModule], controllers: [HealthHttp, MetricsHttp], providers: [MasterHealth, StreamsProcess] })
export class OperationsModule {}
