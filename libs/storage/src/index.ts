export {
  type ByteRange, type CallOptions, type ObjectInfo, type ObjectLister, type ObjectReader, type ObjectRemover,
  type ObjectStore, type ObjectWriter, type PutOptions, type PutOutcome, type StreamPutOptions, type StreamWriter, isObjectNotFound,
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
