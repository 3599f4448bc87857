export {
  type ByteRange, type CallOptions, type ObjectInfo, type ObjectLister, type ObjectReader, type ObjectRemover,
  type ObjectStore, type ObjectWriter, type PutOptions, type PutOutcome, isObjectNotFound, objectNotFound,
} from './object-store.port.ts';
