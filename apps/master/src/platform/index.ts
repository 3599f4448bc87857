/** What every slice of the master may use: who sends a command, how it is decided, and how it is answered. */
export {
  BUS, BUS_HEALTH, CLOCK, COMMAND_HANDLER, CONFIG, FOLLOWER, IDS, INSTALLATION, KEYS, LOGGER, METRICS, NATS_CA, SQL, SYSTEM_BUS, VAULT,
} from './tokens.ts';
export { Commands, type ReadPosition } from './commands/commands.ts';
export { type CommandContext, Context, systemContext } from './http/command-context.ts';
export { AddressLimit } from './http/address-limit.guard.ts';
export { RateWindow } from './http/rate-window.ts';
export { IfMatch, requireRevision } from './http/etag.ts';
export { PageQuery } from './http/page.dto.ts';
export { type Page, type SortKey, mapPage, paginate } from './http/page.ts';
export { Caller, NeedsRole, type Principal, Public, principalOf, publicKey, roleKey, setPrincipal } from './http/principal.ts';
export { type Role, mayActAs, roles } from './domain/role.ts';
export { MayBeNull, invalidRequest } from './http/validation.ts';
export { MasterConfig, publicUrlOf } from './config/master.config.ts';
export { type Duty, ReconcileLoop } from './processes/reconcile-loop.ts';
export { Housekeeping } from './processes/housekeeping.process.ts';
export { sessionSecretOf } from './foundation/session-secret.ts';
