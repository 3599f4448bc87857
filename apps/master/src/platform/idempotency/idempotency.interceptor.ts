import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { type Observable, catchError, concatMap, from, of } from 'rxjs';
import { fault } from '#kernel';
import { principalOf } from '../http/principal.ts';
import { IdempotencyStore, type KeyedWrite } from './idempotency.store.ts';

/** JSON with the keys of every object in order, so that two spellings of one body are one body. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner) ?? '';

const keyOf = (request: Request): string | undefined => {
  const key = request.header('idempotency-key');
  if (key === undefined || ['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return undefined;
  if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
    throw fault('validation', 'invalid-idempotency-key', 'Send an Idempotency-Key of 1 to 128 visible ASCII characters, a random one for each request');
  }
  return key;
};

/** A write with an `Idempotency-Key` is done once: sent again, it gets the first answer. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly store: IdempotencyStore) {}

  async intercept(host: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (host.getType() !== 'http') return next.handle();
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const key = keyOf(request);
    const sender = principalOf(request)?.actor;
    // Without a sender two strangers could meet in one key.
    if (key === undefined || sender === undefined) return next.handle();
    const fingerprint = createHash('sha256').update(`${request.method} ${request.originalUrl}\n${canonical(request.body)}`).digest('hex');
    const write: KeyedWrite = { sender, key, fingerprint };
    const kept = await this.store.begin(write);
    if (kept) {
      response.status(kept.status).setHeader('Idempotency-Replayed', 'true');
      return of(kept.body);
    }
    return next.handle().pipe(
      concatMap(async (body: unknown) => {
        await this.store.finish(write, { status: response.statusCode, body });
        return body;
      }),
      catchError((error: unknown) => from(this.store.forget(write).then(() => { throw error; }))),
    );
  }
}
