export { type Child, type ChildOptions, startChild } from './child.ts';
export { freePort } from './free-port.ts';
export { type NatsOptions, type TestNats, natsServerFile } from './nats.ts';
export { type TestNodeCredential, type TestOperatorNats } from './operator-nats.ts';
export { startNats } from './start-nats.ts';
export { type TestPostgres, startPostgres } from './postgres.ts';
export { type S3Program, type TestS3, s3Program, startS3 } from './s3.ts';
export { removeTempDir, tempDir } from './temp-dir.ts';
export { waitUntil } from './wait-until.ts';
