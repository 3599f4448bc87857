/**
 * Names under which the platform's things are injected, because interfaces have no value at run time:
 * `constructor(@Inject(CLOCK) private readonly clock: Clock)`.
 */

/** `Clock` of #kernel. */
export const CLOCK = Symbol('Clock');
/** `IdSource` of #kernel. */
export const IDS = Symbol('IdSource');
/** `Logger` of #kernel. */
export const LOGGER = Symbol('Logger');
/** `EventStore` of #event-store. */
export const EVENT_STORE = Symbol('EventStore');
/** `Sql` of #event-store: a pool for frequent short statements, which are named so that a session plans them once. */
export const SQL = Symbol('Sql');
/** `CommandHandler` of #event-store. HTTP code takes the `Commands` service instead. */
export const COMMAND_HANDLER = Symbol('CommandHandler');
/** `Follower` of #projections: what it has projected, and a wait for it. */
export const FOLLOWER = Symbol('Follower');
/** `NatsConnection` of account CONTROL: JetStream, asks, rpc. */
export const BUS = Symbol('Bus');
/** `NatsConnection` of account SYSTEM: claims, disconnects, connection lists. */
export const SYSTEM_BUS = Symbol('SystemBus');
/** The installation's keys, of #identity. */
export const KEYS = Symbol('Keys');
/** `MasterConfig`: the frozen settings of this process. */
export const CONFIG = Symbol('Config');
/** `Vault` of #identity: seals secrets that lie in the schema `vault`. */
export const VAULT = Symbol('Vault');
/** Id of this installation. */
export const INSTALLATION = Symbol('Installation');
/** PEM of the authority of the NATS servers, or undefined when it is a public one. */
export const NATS_CA = Symbol('NatsCa');
/** `BusHealth` of #messaging, for the connection `BUS`. */
export const BUS_HEALTH = Symbol('BusHealth');
/** `Metrics` of #observability. */
export const METRICS = Symbol('Metrics');
