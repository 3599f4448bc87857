import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Housekeeping } from '../../platform/index.ts';
import { ApiKeys } from './auth/api-keys.ts';
import { AuthGuard } from './auth/auth.guard.ts';
import { FirstAdmin } from './auth/first-admin.ts';
import { LoginLimiter } from './auth/login-limiter.ts';
import { Passwords } from './auth/passwords.ts';
import { Sessions } from './auth/sessions.ts';
import { Users } from './auth/users.ts';
import { ApiKeysHttp } from './http/api-keys.http.ts';
import { SessionHttp } from './http/session.http.ts';
import { UsersHttp } from './http/users.http.ts';
import { ApiKeyRow } from './read-models/api-key.entity.ts';
import { UserRow } from './read-models/user.entity.ts';
import { ApiKeyHash, LoginAttempts, PasswordHash, Session } from './vault/secrets.entities.ts';

/** Who may do what: people, programs, and the guard before everything. */
@Module({
  imports: [TypeOrmModule.forFeature([UserRow, ApiKeyRow, PasswordHash, ApiKeyHash, Session, LoginAttempts])],
  controllers: [SessionHttp, UsersHttp, ApiKeysHttp],
  providers: [ApiKeys, FirstAdmin, LoginLimiter, Passwords, Sessions, Users, { provide: APP_GUARD, useClass: AuthGuard }],
  exports: [Sessions],
})
export class IdentityModule {
  constructor(housekeeping: Housekeeping, sessions: Sessions, limiter: LoginLimiter) {
    housekeeping.add(() => sessions.expire());
    housekeeping.add(() => limiter.expire());
  }
}
