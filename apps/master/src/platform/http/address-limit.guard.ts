import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { type Clock, fault } from '#kernel';
import { CLOCK } from '../tokens.ts';

const windowMs = 60_000;
/** Requests from one address in a window: a batch of fifty hosts behind one address gets through at once, guessing does not. */
const limit = 400;
/** Addresses that are remembered; beyond, a new window begins for all. */
const mostAddresses = 50_000;

/** Bounds what one address asks of the paths that need no log-in because agents and their installers call them. Counted by each master for itself. */
@Injectable()
export class AddressLimit implements CanActivate {
  private counts = new Map<string, number>();
  private windowFrom = 0;

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** Throws `too-many-requests` (429). */
  canActivate(host: ExecutionContext): boolean {
    const address = host.switchToHttp().getRequest<Request>().ip ?? '';
    const now = this.clock.now();
    if (now - this.windowFrom >= windowMs || this.counts.size >= mostAddresses) {
      this.counts = new Map();
      this.windowFrom = now;
    }
    const count = (this.counts.get(address) ?? 0) + 1;
    this.counts.set(address, count);
    if (count > limit) throw fault('rate-limited', 'too-many-requests', 'Too many requests from this address; wait a minute and try again');
    return true;
  }
}
