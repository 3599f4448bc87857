import type { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Clock, rfc3339, systemClock } from '#kernel';
import { checkObjectName } from '../names.ts';
import { s3Client, type S3Location } from '../s3/s3-client.ts';
import { s3Presigner, s3Sdk } from '../s3/sdk.ts';
import type { GrantSigner } from './grant.port.ts';
import { boundsOf } from './write-order.ts';

// In the query they would bind nothing: a server takes what the request's headers say.
const bound = ['content-length', 'if-none-match', 'x-amz-checksum-sha256'] as const;

/**
 * Presigned URLs of a bucket. A PUT signs `host`, `content-length`, `if-none-match: *` and `x-amz-checksum-sha256` as headers, so
 * the server refuses other bytes, another length and a second write; `testTarget` proves that it does.
 */
export const s3GrantSigner = (location: S3Location & { readonly client?: S3Client; readonly clock?: Clock }): GrantSigner => {
  const { bucket: Bucket, prefix = '', clock = systemClock } = location;
  const client = location.client ?? s3Client(location);
  const sign = (command: PutObjectCommand | GetObjectCommand, expires: number): Promise<string> => {
    // An order that has expired already is signed as one that once was valid: the target test sends it.
    const signed = Math.min(clock.now(), expires - 1_000);
    const signingDate = new Date(signed);
    const expiresIn = Math.floor((expires - signed) / 1_000);
    return s3Presigner().getSignedUrl(client, command, { expiresIn, signingDate, unhoistableHeaders: new Set(bound) });
  };
  return {
    issue: async (order) => {
      const { name, expires } = order;
      const Key = prefix + checkObjectName(name);
      const expiresAt = rfc3339(expires);
      if (order.access === 'read') {
        return { name, method: 'GET', url: await sign(new (s3Sdk().GetObjectCommand)({ Bucket, Key }), expires), headers: {}, expiresAt };
      }
      const { size, sha256 } = boundsOf(order);
      const ChecksumSHA256 = Buffer.from(sha256).toString('base64');
      const url = await sign(new (s3Sdk().PutObjectCommand)({ Bucket, Key, ContentLength: size, ChecksumSHA256, IfNoneMatch: '*' }), expires);
      const headers = { 'content-length': String(size), 'if-none-match': '*', 'x-amz-checksum-sha256': ChecksumSHA256 };
      return { name, method: 'PUT', url, headers, expiresAt };
    },
  };
};
