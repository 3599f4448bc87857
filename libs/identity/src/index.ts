export { type NatsServerSearch, findNatsServer, isNatsServerNewEnough, oldestNatsServer } from './nats-server/find-nats-server.ts';
