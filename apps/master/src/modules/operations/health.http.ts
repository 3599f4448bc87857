import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { rfc3339 } from '#kernel';
import { INSTALLATION, Public } from '../../platform/index.ts';
import { FleetCounter } from '../nodes/index.ts';
import { MasterHealth } from './master-health.ts';
import { HealthAnswer, StatusAnswer } from './operations.dto.ts';

/** Whether this master works; for load balancers, orchestrators and people. */
@ApiTags('operations')
@Public()
@Controller()
export class HealthHttp {
  constructor(private readonly health: MasterHealth, private readonly fleet: FleetCounter, @Inject(INSTALLATION) private readonly installation: string) {}

  /** The process answers; says nothing of what it depends on. */
  @Get('health/live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 when this master can take requests, 503 with the reasons otherwise. */
  @Get('health/ready')
  async ready(@Res({ passthrough: true }) response: Response): Promise<HealthAnswer> {
    const report = await this.health.check();
    if (!report.healthy) response.status(503).setHeader('Retry-After', '1');
    return { status: report.healthy ? 'ok' : 'unavailable', indicators: { ...report.indicators } };
  }

  /** Who answers, since when, and whether everything works: 503 when a dependency is down. */
  @Get('api/status')
  async status(@Res({ passthrough: true }) response: Response): Promise<StatusAnswer> {
    const report = await this.health.check();
    if (!report.healthy) response.status(503).setHeader('Retry-After', '1');
    const { version, startedAt } = this.health;
    const fleet = report.healthy ? await this.fleet.count() : undefined;
    return {
      success: report.healthy, version, role: 'master', startTime: rfc3339(startedAt), installation: this.installation, position: this.health.position,
      indicators: { ...report.indicators }, ...(fleet ? { fleet } : {}),
    };
  }
}
