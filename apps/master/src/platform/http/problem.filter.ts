import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Request, Response } from 'express';
import { type Logger, isAppError, messageOf } from '#kernel';
import { LOGGER } from '../tokens.ts';
import { problemOf, refusalOf } from './problem.ts';

/** The one place where an error becomes an HTTP answer. What is our fault is logged with its cause; the caller sees a sentence. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const problem = problemOf(refusalOf(error), request.path);
    if (problem.status >= 500) this.log(error, request, problem.status);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (problem.status === 503 || problem.status === 429) response.setHeader('Retry-After', response.getHeader('Retry-After') ?? '1');
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="holdfast"');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }

  private log(error: unknown, request: Request, status: number): void {
    this.logger.error('request failed', {
      method: request.method,
      path: request.path,
      status,
      error: messageOf(error),
      ...(isAppError(error) && error.internal ? { internal: error.internal } : {}),
      ...(error instanceof Error && error.cause ? { cause: messageOf(error.cause) } : {}),
      ...(status === 500 && error instanceof Error ? { stack: error.stack } : {}),
    });
  }
}
