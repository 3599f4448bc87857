export type { EntryType, ExtendedAttribute, Source, SourceEntry, SourceFault, WalkOptions } from './source.port.ts';
export { compareManifestPaths } from './path-order.ts';
export type {
  ContentWriter, DeleteExtraneous, FileTicket, Placement, RestoreEntry, RestoreMode, RestoreOptions, RestoreSummary, RestoreWriter,
} from './restore.port.ts';
