import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditHttp } from './http/audit.http.ts';
import { AuditRow } from './read-models/audit.entity.ts';

/** Who did what. */
@Module({ imports: [TypeOrmModule.forFeature([AuditRow])], controllers: [AuditHttp] })
export class AuditModule {}
