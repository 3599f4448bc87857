import {
  type CallHandler, type ExecutionContext, Injectable, type NestInterceptor, createParamDecorator,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { type Observable, map } from 'rxjs';
import { type Refusal, type Result, err, fault, ok, refuse } from '#kernel';

/** The entity tag of an aggregate's revision. */
export const etagOf = (revision: number): string => `"${revision}"`;

const hasRevision = (body: unknown): body is { revision: number } =>
  typeof body === 'object' && body !== null && 'revision' in body && Number.isSafeInteger(body.revision);

/** An answer with a numeric `revision` at its top carries it as `ETag`; a matching `If-None-Match` is answered 304. */
@Injectable()
export class EtagInterceptor implements NestInterceptor {
  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (host.getType() !== 'http') return next.handle();
    const response = host.switchToHttp().getResponse<Response>();
    return next.handle().pipe(map((body: unknown) => {
      // Express itself answers 304 when the tag of a GET matches `If-None-Match`.
      if (hasRevision(body) && !response.headersSent) response.setHeader('ETag', etagOf(body.revision));
      return body;
    }));
  }
}

/** Reads `If-Match`; undefined when it is absent or `*`. Throws `invalid-if-match`. */
export const parseIfMatch = (header: string | undefined): number | undefined => {
  if (header === undefined || header === '*') return undefined;
  const match = /^(?:W\/)?"(\d{1,15})"$/.exec(header.trim());
  if (!match) throw fault('validation', 'invalid-if-match', 'Send If-Match with the ETag of the last read, for example If-Match: "3"');
  return Number(match[1]);
};

/** The revision that the caller last saw, as a parameter of a controller's method; undefined when it does not say. */
export const IfMatch = createParamDecorator((_data: unknown, host: ExecutionContext): number | undefined =>
  parseIfMatch(host.switchToHttp().getRequest<Request>().header('if-match')));

/** Refuses (412 `stale-revision`) when the caller has seen another revision than this one. */
export const requireRevision = (seen: number | undefined, revision: number): Result<void, Refusal> =>
  seen === undefined || seen === revision
    ? ok(undefined)
    : err(refuse('stale', 'stale-revision', `This is at revision ${revision} now, not ${seen}; read it again and repeat the change`));
