import { Injectable } from '@nestjs/common';
import type { KnownChunks } from '../ports.ts';

/**
 * Knows of no list: an agent that lost its cache uploads again what it does not know, which costs time and never correctness
 * (duplicates of a chunk are legal, and a prune keeps one copy).
 */
@Injectable()
export class NoKnownChunks implements KnownChunks {
  prepare(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}
