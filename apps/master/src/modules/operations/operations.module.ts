import { Module } from '@nestjs/common';
import { HealthHttp } from './health.http.ts';
import { MasterHealth } from './master-health.ts';
import { MetricsHttp } from './metrics.http.ts';
import { StreamsProcess } from './streams.process.ts';

/** What operators and their tools look at: health, status, metrics. */
@Module({ controllers: [HealthHttp, MetricsHttp], providers: [MasterHealth, StreamsProcess] })
export class OperationsModule {}
