import type { S3Client } from '@aws-sdk/client-s3';
import { s3Sdk } from './sdk.ts';

/** Where a bucket is and who asks. Credentials may be left out where the surroundings give them (instance role). */
export interface S3Location {
  readonly bucket: string;
  /** Put before every name, `/`-terminated or empty. */
  readonly prefix?: string;
  /** For example `https://minio.example:9000`; absent: AWS. */
  readonly endpoint?: string;
  readonly region?: string;
  /** `https://host/bucket/name` instead of `https://bucket.host/name`. Default: true when an endpoint is given. */
  readonly forcePathStyle?: boolean;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

/** The SDK warns on the console by itself otherwise; every failure is thrown anyway. */
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * A client that tries once (retrying is a wrapper's work, which knows the Clock) and computes no checksums of its own: every
 * write already carries a SHA-256.
 */
export const s3Client = (location: S3Location): S3Client => new (s3Sdk().S3Client)({
  region: location.region ?? 'us-east-1',
  forcePathStyle: location.forcePathStyle ?? location.endpoint !== undefined,
  maxAttempts: 1,
  logger: silent,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  requestHandler: { connectionTimeout: 10_000, requestTimeout: 60_000, throwOnRequestTimeout: true, httpsAgent: { maxSockets: 64 }, httpAgent: { maxSockets: 64 } },
  ...(location.endpoint ? { endpoint: location.endpoint } : {}),
  ...(location.credentials ? { credentials: location.credentials } : {}),
});
