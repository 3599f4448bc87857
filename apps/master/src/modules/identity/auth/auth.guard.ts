import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { fault } from '#kernel';
import { type Principal, type Role, mayActAs, principalOf, publicKey, roleKey, setPrincipal } from '../../../platform/index.ts';
import { ApiKeys } from './api-keys.ts';
import { readCookie, sessionCookie } from './session-cookie.ts';
import { Sessions } from './sessions.ts';

const notLoggedIn = () => fault('unauthorized', 'not-logged-in', 'Log in, or send an API key as Authorization: Bearer');

/** Methods that change nothing, which a viewer may use. */
const reading = ['GET', 'HEAD', 'OPTIONS'];

/** Finds out who sends each request and whether their role allows it. Everything needs a log-in that is not marked `Public`. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly reflector: Reflector, private readonly sessions: Sessions, private readonly apiKeys: ApiKeys) {}

  async canActivate(host: ExecutionContext): Promise<boolean> {
    if (host.getType() !== 'http') return true;
    const places = [host.getHandler(), host.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(publicKey, places)) return true;
    const request = host.switchToHttp().getRequest<Request>();
    const principal = principalOf(request) ?? (await this.identify(request));
    if (!principal) throw notLoggedIn();
    const needed = this.reflector.getAllAndOverride<Role | undefined>(roleKey, places) ?? (reading.includes(request.method) ? 'viewer' : 'operator');
    if (!mayActAs(principal.role, needed)) {
      throw fault('forbidden', 'role-too-low', `This needs the role ${needed} and you have ${principal.role}; ask an admin`);
    }
    setPrincipal(request, principal);
    return true;
  }

  private async identify(request: Request): Promise<Principal | undefined> {
    const bearer = /^Bearer (\S{1,200})$/.exec(request.header('authorization') ?? '')?.[1];
    if (bearer !== undefined) return this.apiKeys.identify(bearer);
    const cookie = readCookie(request.header('cookie'), sessionCookie);
    const user = cookie === undefined ? undefined : await this.sessions.find(cookie);
    return user && { actor: `user:${user.id}`, name: user.name, role: user.role };
  }
}
