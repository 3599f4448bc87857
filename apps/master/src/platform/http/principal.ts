import { SetMetadata, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { fault } from '#kernel';
import type { Role } from '../domain/role.ts';

/** Who sends a request, as the auth guard found out. */
export interface Principal {
  /** `user:<id>`, `key:<id>` or `node:<id>`: goes into every event. */
  readonly actor: string;
  /** Shown in the console and the audit log. */
  readonly name: string;
  readonly role: Role;
}

const principals = new WeakMap<Request, Principal>();

/** Remembers who sends this request. The guard alone calls it. */
export const setPrincipal = (request: Request, principal: Principal): void => {
  principals.set(request, principal);
};

/** Who sends this request; undefined on a public path. */
export const principalOf = (request: Request): Principal | undefined => principals.get(request);

/** The logged-in caller, as a parameter of a controller's method. */
export const Caller = createParamDecorator((_data: unknown, host: ExecutionContext): Principal => {
  const principal = principalOf(host.switchToHttp().getRequest<Request>());
  if (!principal) throw fault('unauthorized', 'not-logged-in', 'Log in, or send an API key as Authorization: Bearer');
  return principal;
});

/** Metadata key of `Public`. */
export const publicKey = 'holdfast:public';
/** Metadata key of `NeedsRole`. */
export const roleKey = 'holdfast:role';

/** Marks a controller or a method that needs no login: health, login, enrolment, relay (a grant is its own proof). */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(publicKey, true);

/** Marks what needs more than the default (reading: viewer; anything else: operator). */
export const NeedsRole = (role: Role): ClassDecorator & MethodDecorator => SetMetadata(roleKey, role);
