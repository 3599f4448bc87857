/** Who did what, when, to what: a projection of every event. */
export { AuditRow } from './read-models/audit.entity.ts';
export { auditModel } from './read-models/audit.projection.ts';
