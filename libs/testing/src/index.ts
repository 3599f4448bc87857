export { type Child, type ChildOptions, startChild } from './child.ts';
export { freePort } from './free-port.ts';
export { type NatsOptions, type TestNats, natsServerFile, startNatsServer as startNats } from './nats.ts';
export { type TestPostgres, startPostgres } from './postgres.ts';
export { removeTempDir, tempDir } from './temp-dir.ts';
export { waitUntil } from './wait-until.ts';
