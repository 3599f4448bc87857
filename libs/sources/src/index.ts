export type { EntryType, ExtendedAttribute, OwnerNames, QuickFacts, Source, SourceEntry, SourceFault, WalkOptions } from './source.port.ts';
export { compareManifestPaths } from './path-order.ts';
export type {
  ContentWriter, DeleteExtraneous, DestinationPlaces, FileTicket, Placement, RestoreEntry, RestoreMode, RestoreOptions, RestoreSummary, RestoreWriter,
} from './restore.port.ts';
export { type FilesSourceOptions, filesSource } from './walk/files-source.ts';
export { type ExcludeMatcher, excludeMatcher } from './walk/excludes.ts';
export { type HostNames, hostNames } from './walk/host-names.ts';
export { deletePermission } from './restore/delete-permission.ts';
export { contentWriter } from './restore/content-writer.ts';
export { restoreWriter } from './restore/restore-writer.ts';
export { mtimeToleranceNs } from './restore/times.ts';
export {
  type CompareOptions, type DifferenceKind, type TreeComparison, type TreeDifference, compareTrees,
} from './compare/compare-trees.ts';
export { DirectoryLister, type DirectoryListerOptions, type DirectoryListing, type DirectoryPage, type ListedEntry } from './browse/list-directory.ts';
export { type PatientCall, patientCalls } from './browse/patient-calls.ts';
export { type DiscoverOptions, discover } from './discover/discover.ts';
export type { Discoveries, Discovery, DiscoveryNote, Evidence } from './discover/discovery.ts';
