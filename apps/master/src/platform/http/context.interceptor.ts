import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { type Clock, type IdSource, rfc3339 } from '#kernel';
import { CLOCK, IDS } from '../tokens.ts';
import { commandContext, commandIdOf, setCommandContext } from './command-context.ts';
import { principalOf } from './principal.ts';

/** Header that names the position in the log which an answer with status 202 will be readable at. */
export const positionHeader = 'Holdfast-Position';

/** W3C trace context, version 00. */
const traceShape = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Gives every request its command context. */
@Injectable()
export class ContextInterceptor implements NestInterceptor {
  constructor(@Inject(CLOCK) private readonly clock: Clock, @Inject(IDS) private readonly ids: IdSource) {}

  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (host.getType() !== 'http') return next.handle();
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const principal = principalOf(request);
    const actor = principal?.actor ?? 'anonymous';
    const traceparent = request.header('traceparent');
    // Without a sender two strangers could meet in one key.
    const key = principal && request.header('idempotency-key');
    setCommandContext(request, commandContext({
      time: rfc3339(this.clock.now()),
      actor,
      commandId: commandIdOf(this.ids, actor, key),
      ...(request.ip ? { from: request.ip } : {}),
      ...(traceparent && traceShape.test(traceparent) ? { traceparent } : {}),
      onPending: (sequence) => response.status(202).setHeader(positionHeader, String(sequence)),
    }));
    return next.handle();
  }
}
