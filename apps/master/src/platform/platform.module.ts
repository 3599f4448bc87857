import { type DynamicModule, Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Commands } from './commands/commands.ts';
import type { Foundation } from './foundation/foundation.ts';
import { ContextInterceptor } from './http/context.interceptor.ts';
import { EtagInterceptor } from './http/etag.ts';
import { ProblemFilter } from './http/problem.filter.ts';
import { validationPipe } from './http/validation.ts';
import { IdempotencyKey } from './idempotency/idempotency-key.entity.ts';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.ts';
import { IdempotencyStore } from './idempotency/idempotency.store.ts';
import { Housekeeping } from './processes/housekeeping.process.ts';
import {
  BUS, BUS_HEALTH, CLOCK, COMMAND_HANDLER, CONFIG, EVENT_STORE, FOLLOWER, IDS, INSTALLATION, KEYS, LOGGER, METRICS, NATS_CA, SQL, SYSTEM_BUS, VAULT,
} from './tokens.ts';
import { newMetrics } from '#observability';

const value = (provide: symbol, useValue: unknown) => ({ provide, useValue });

const given = (foundation: Foundation) => [
  value(BUS, foundation.bus), value(BUS_HEALTH, foundation.busHealth), value(SYSTEM_BUS, foundation.systemBus), value(NATS_CA, foundation.natsCa),
  value(CLOCK, foundation.clock), value(IDS, foundation.ids), value(LOGGER, foundation.logger), value(CONFIG, foundation.config),
  value(KEYS, foundation.keys), value(VAULT, foundation.vault), value(INSTALLATION, foundation.installation),
  value(EVENT_STORE, foundation.store), value(SQL, foundation.pool), value(COMMAND_HANDLER, foundation.commands), value(FOLLOWER, foundation.follower),
  { provide: METRICS, useFactory: () => newMetrics() },
];

const edge = [
  { provide: APP_FILTER, useClass: ProblemFilter },
  { provide: APP_PIPE, useFactory: validationPipe },
  // In this order: the context is there before a write is looked up, and a replayed answer still carries its ETag.
  { provide: APP_INTERCEPTOR, useClass: ContextInterceptor },
  { provide: APP_INTERCEPTOR, useClass: EtagInterceptor },
  { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
];

/** What every slice stands on; global, so that slices import only each other. */
@Global()
@Module({})
export class PlatformModule {
  static with(foundation: Foundation): DynamicModule {
    const shared = given(foundation);
    return {
      module: PlatformModule,
      imports: [
        ScheduleModule.forRoot(),
        TypeOrmModule.forRootAsync({ useFactory: () => ({ type: 'postgres' }), dataSourceFactory: async () => foundation.database }),
        TypeOrmModule.forFeature([IdempotencyKey]),
      ],
      providers: [...shared, ...edge, Commands, IdempotencyStore, Housekeeping],
      exports: [...shared, Commands, IdempotencyStore, Housekeeping],
    };
  }
}
