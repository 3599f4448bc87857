export { type Result, ok, err } from './result.ts';
export {
  AppError, type AppErrorOptions, type ErrorKind, type FieldFault, type Refusal,
  fault, hasCode, isAppError, messageOf, refuse, unreachable,
} from './errors.ts';
export { type Clock, calledOff, parseTime, rfc3339, systemClock } from './clock.ts';
export { FakeClock } from './fake-clock.ts';
export type { Dial, Endpoint } from './dial.ts';
export { processStart } from './process-start.ts';
export { inStep } from './in-step.ts';
export {
  type Branded, type IdPrefix, type IdSource, type NodeId, type RepositoryId, type RunId, type SnapshotId, type TargetId,
  type TaskId, controlNode, countingIds, derivedId, idPrefixes, isId, randomIds,
} from './ids.ts';
export { isBundled, threadEntry } from './bundled.ts';
export { type CountedWork, remainingMs, shareDone } from './remaining.ts';
export { storableJson } from './storable-json.ts';
export { counted, someOf } from './words.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
