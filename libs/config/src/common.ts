import { IsArray, IsIn, IsOptional, IsString, Matches } from 'class-validator';
import { asList } from './parse.ts';
import { Setting } from './setting.ts';

/** How to reach the bus. */
export class NatsConfig {
  /** One URL or several, divided by commas. */
  @Setting('HOLDFAST_NATS_URL', { parse: asList })
  @IsArray() @Matches(/^(nats|tls|wss?):\/\/[^\s]+$/, { each: true, message: 'must be URLs such as nats://host:4222 divided by commas' })
  urls: readonly string[] = ['nats://127.0.0.1:4222'];

  /** PEM file of the CA that signed the servers' certificates; absent: the system's. */
  @Setting('HOLDFAST_NATS_CA') @IsOptional() @IsString()
  caFile?: string;
}

/** How to reach Postgres. */
export class PostgresConfig {
  /** `postgres://user:password@host:port/database`. */
  @Setting('HOLDFAST_POSTGRES_URL')
  @Matches(/^postgres(ql)?:\/\/\S+$/, { message: 'must be a URL such as postgres://user:password@host:5432/holdfast' })
  url: string = 'postgres://holdfast@127.0.0.1:5432/holdfast';
}

/** What is logged. */
export class LogConfig {
  @Setting('HOLDFAST_LOG_LEVEL') @IsIn(['debug', 'info', 'warn', 'error'], { message: 'must be debug, info, warn or error' })
  level: 'debug' | 'info' | 'warn' | 'error' = 'info';
}
