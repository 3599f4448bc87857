import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { Clock } from '#kernel';
import { CLOCK } from '../tokens.ts';
import { RateWindow } from './rate-window.ts';

/** Requests from one address in a minute: a batch of fifty hosts behind one address gets through at once, guessing does not. */
const limit = 400;

/** Bounds what one address asks of the paths that need no log-in because agents and their installers call them. */
@Injectable()
export class AddressLimit implements CanActivate {
  private readonly window: RateWindow;

  constructor(@Inject(CLOCK) clock: Clock) {
    this.window = new RateWindow(clock, limit, 'Too many requests from this address; wait a minute and try again');
  }

  /** Throws `too-many-requests` (429). */
  canActivate(host: ExecutionContext): boolean {
    this.window.take(host.switchToHttp().getRequest<Request>().ip ?? '');
    return true;
  }
}
