import { fault } from '#kernel';
import { checkObjectName } from '../names.ts';
import type { GrantOrder } from './grant.port.ts';

/** What a write grant binds; throws `grant-malformed` for an order that does not say it. */
export const boundsOf = (order: GrantOrder): { readonly size: number; readonly sha256: Uint8Array } => {
  checkObjectName(order.name);
  const { size, sha256 } = order;
  if (size === undefined || !Number.isSafeInteger(size) || size < 0 || sha256?.length !== 32) {
    throw fault('validation', 'grant-malformed', 'A grant to write needs the size and the SHA-256 of the object');
  }
  return { size, sha256 };
};
