import { createRequire } from 'node:module';
import type * as Sdk from '@aws-sdk/client-s3';
import type * as Presigner from '@aws-sdk/s3-request-presigner';

const require = createRequire(import.meta.url);

/** The SDK, loaded when it is first used: it takes as long to load as everything else together, and a folder needs none of it. */
export const s3Sdk = (): typeof Sdk => require('@aws-sdk/client-s3') as typeof Sdk;

/** Likewise what signs URLs. */
export const s3Presigner = (): typeof Presigner => require('@aws-sdk/s3-request-presigner') as typeof Presigner;
