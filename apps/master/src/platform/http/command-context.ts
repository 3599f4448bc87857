import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { EventContext } from '#event-store';
import { type Clock, type IdPrefix, type IdSource, derivedId, fault, rfc3339 } from '#kernel';

/** What one command knows of its sender and its moment. One context is for one `execute`: event ids follow from its command id. */
export interface CommandContext extends EventContext {
  /** The same ids each time the same command is decided (again after a conflict, or sent twice with one `Idempotency-Key`). */
  newId(prefix: IdPrefix): string;
  /** A context for a further `execute` of the same request; `step` names it inside the request. */
  step(step: string): CommandContext;
  /** Called when the answer is given before the read models have caught up: the HTTP answer becomes a 202. */
  pending(sequence: number): void;
}

/** What a context is made of. */
export interface ContextParts {
  readonly time: string;
  readonly actor: string;
  readonly commandId: string;
  readonly from?: string;
  readonly traceparent?: string;
  readonly onPending?: (sequence: number) => void;
}

/** Makes a context from its parts. */
export const commandContext = (parts: ContextParts): CommandContext => {
  let made = 0;
  const { onPending, ...event } = parts;
  return {
    ...event,
    newId: (prefix) => derivedId(prefix, parts.commandId, String(++made)),
    step: (step) => commandContext({ ...parts, commandId: derivedId('cmd', parts.commandId, step) }),
    pending: (sequence) => onPending?.(sequence),
  };
};

/**
 * The context of a reconciler: `system:<duty>`. Give a `commandId` that follows from what is done (`derivedId('cmd', ...)`) where
 * two masters, or two passes, might do it.
 */
export const systemContext = (clock: Clock, duty: string, commandId: string): CommandContext =>
  commandContext({ time: rfc3339(clock.now()), actor: `system:${duty}`, commandId });

const contexts = new WeakMap<Request, CommandContext>();

/** Remembers the context of a request; the interceptor alone calls it. */
export const setCommandContext = (request: Request, context: CommandContext): void => {
  contexts.set(request, context);
};

/** The context of this request, as a parameter of a controller's method. */
export const Context = createParamDecorator((_data: unknown, host: ExecutionContext): CommandContext => {
  const context = contexts.get(host.switchToHttp().getRequest<Request>());
  if (!context) throw fault('internal', 'no-command-context', 'The request has no command context');
  return context;
});

/** The command id of a request: with an idempotency key always the same for the same sender. */
export const commandIdOf = (ids: IdSource, actor: string, key: string | undefined): string =>
  key === undefined ? ids.next('cmd') : derivedId('cmd', actor, key);
