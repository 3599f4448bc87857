export type { EntryType, ExtendedAttribute, Source, SourceEntry, SourceFault, WalkOptions } from './source.port.ts';
export { compareManifestPaths } from './path-order.ts';
export type {
  ContentWriter, DeleteExtraneous, FileTicket, Placement, RestoreEntry, RestoreMode, RestoreOptions, RestoreSummary, RestoreWriter,
} from './restore.port.ts';
export { type FilesSourceOptions, filesSource } from './walk/files-source.ts';
export { type ExcludeMatcher, excludeMatcher } from './walk/excludes.ts';
export { type HostNames, hostNames } from './walk/host-names.ts';
