export { type Child, type ChildExit, type ChildOptions, endLeftover, startChild } from './child.ts';
export { listensOn } from './listener.ts';
export { type EmbeddedNatsOptions, accepts, awaitReady, startEmbeddedNats } from './nats.ts';
export { type EmbeddedPostgresOptions, postgresUrl, startEmbeddedPostgres } from './postgres.ts';
export { type Authority, type ServerCertificate, installationAuthority, serverCertificate } from './authority.ts';
