export {
  type ByteRange, type CallOptions, type ObjectInfo, type ObjectLister, type ObjectReader, type ObjectRemover,
  type ObjectStore, type ObjectWriter, type PutOptions, type PutOutcome, type ReadOptions, type StreamPutOptions, type StreamWriter, isObjectNotFound,
  objectNotFound,
} from './object-store.port.ts';
export { FsStore, type FsStoreOptions, fsStore } from './fs/fs.adapter.ts';
export { type MemoryStore, memoryStore } from './memory/memory.adapter.ts';
export { type S3Location, s3Client } from './s3/s3-client.ts';
export { S3Store, type S3StoreOptions, s3Store } from './s3/s3.adapter.ts';
export { semaphore, withLimit } from './wrappers/limit.wrapper.ts';
export { type MeteredStore, type StoreCounters, withMeter } from './wrappers/metered.wrapper.ts';
export { withPrefix } from './wrappers/prefixed.wrapper.ts';
export { type RetryOptions, retrying, withRetry } from './wrappers/retry.wrapper.ts';
export { type ThrottleOptions, withThrottle } from './wrappers/throttle.wrapper.ts';
export type { GrantOrder, GrantSigner } from './grants/grant.port.ts';
export type { RequestGrants } from './grants/grant-source.ts';
export { GrantedStore, type GrantedStoreOptions, grantedStore } from './grants/granted-store.ts';
export type { HttpAnswer, HttpRequest, HttpSend } from './grants/http.port.ts';
export { type NodeHttpOptions, nodeAgents, nodeHttp } from './grants/node-http.ts';
export { receiveObject } from './grants/receive-object.ts';
export { type RelayGrant, type RelayGrantOptions, type RelayRequest, relayGrantSigner, verifyRelayGrant } from './grants/relay-grants.ts';
export { s3GrantSigner } from './grants/s3-grants.ts';
export { type TargetCheck, type TargetCheckName, type TargetTest, type TargetTestOptions, testTarget } from './grants/test-target.ts';
