export { type AttemptKeys, type Key, type KeyClass, generateAttemptKeys, generateKey, keyFrom, keyIdOf, repositoryIdOf } from './format/keys.ts';
export { generateIdentity, openWith, parseIdentityFile, recipientOf, sealTo, unwrapKey, wrapKey } from './format/wrapping.ts';
export { type KeyRing, type UnwrappedKey, handedKeys, identityKeys, openSealedKeys, sealKeys } from './keys/key-ring.ts';
export { objectNames, objectPrefixes, parseObjectName, repositoryFile } from './format/names.ts';
export { isDamage } from './format/damage.ts';
export { type WriterIdentity, adoptWriterIdentity, ensureWriterIdentity, readWriterIdentity } from './state/identity.ts';
export type {
  BackupLimits, BackupOptions, BackupProgress, BackupRepository, BackupResult, BackupSubject, ChangeFact,
} from './backup/backup-options.ts';
export { runBackup } from './backup/run-backup.ts';
export type {
  RestoreLimits, RestoreMode, RestoreOptions, RestoreProgress, RestoreResult, RestoreStatistics,
} from './restore/restore-options.ts';
export { runRestore } from './restore/run-restore.ts';
export { initRepository, readRepository } from './backup/init-repository.ts';
export { type RepositoryDescription, repositoryFileOf } from './format/repository-file.ts';
export { type ListedSnapshot, findSnapshot, listSnapshots, packNames } from './snapshots/list-snapshots.ts';
export { type SnapshotContents, snapshotContents } from './snapshots/list-entries.ts';
export { printablePath } from './backup/fault-list.ts';
export type { ManifestEntry } from './format/manifest-entry.ts';
export type { SnapshotHeader } from './format/snapshot.ts';
export type {
  AffectedSnapshot, VerifyFinding, VerifyLevel, VerifyOptions, VerifyProgress, VerifyResult,
} from './verify/verify-options.ts';
export { verifyRepository } from './verify/verify-repository.ts';
export {
  type AdmissionCode, type AdmissionCounts, type AdmissionOptions, type AdmissionVerdict, admissionCodes,
} from './admission/admission-options.ts';
export { admitSnapshot } from './admission/admit-snapshot.ts';
export type { DirectoryCache } from './catalog/pack-catalog.ts';
export type { PruneHooks, PruneNumbers, PruneOptions, PruneResult } from './prune/prune-options.ts';
export { pruneRepository } from './prune/prune-repository.ts';
export { type RetainedSnapshot, type RetentionPolicy, retain } from './prune/retention.ts';
export { type BrowseOptions, type BrowsedEntry, BrowsableSnapshot, browseSnapshot } from './browse/browse-snapshot.ts';
export { type RestoreNeeds, restoreNeeds, sealRestoreNeeds } from './browse/restore-keys.ts';
export { type KnownExport, type KnownExportOptions, exportKnownChunks, importKnownChunks } from './browse/known-export.ts';
