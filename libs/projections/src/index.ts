export { type ReadModel, readModel } from './read-model.ts';
export type { EventsListener, Follower, FollowerStatus, Lag } from './follower.port.ts';
