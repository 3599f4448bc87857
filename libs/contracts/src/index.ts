export { nodeOfSubject, protocolVersion, reportsConsumer, streams, subjects } from './subjects.ts';
export { decodeMessage, encodeMessage, parseMessage } from './validation.ts';
export { Command, type CommandVerb, SignedMessage, type SignaturePurpose, commandMessageId, commandVerbs } from './commands.ts';
export {
  BackupSpecification, FilesSource, RepositoryPointer, RestoreSpecification, type Specification, restoreModes,
} from './specifications.ts';
export {
  ItemFault, Progress, type ReportOutcome, RunReport, RunStatistics, SnapshotProposal, StoredObject, WrappedKey, reportMessageId,
  reportOutcomes,
} from './reports.ts';
export {
  type Answer, type AskMethod, Capabilities, ClaimAsk, type ClaimGranted, ClaimReference, Grant, type GrantAnswer, GrantAsk,
  GrantRequest, type IdKeyAnswer, IdKeyAsk, KnownChunksAsk, type KnownChunksAnswer, type PacksAnswer, PacksAsk, RenewAsk, RotateAsk,
  RotatedAsk, SelfAsk, type SelfAnswer, SyncAsk, type SyncAnswer, type TokenAnswer, type UpgradeOrder, askMethods,
} from './asks.ts';
export { Heartbeat, heartbeatSeconds, leastMissed, offlineAfterSeconds } from './heartbeat.ts';
export { HostReport, type InstallMode, UpgradeReport, type UpgradeStage, installModes, upgradeStages } from './hosts.ts';
export { RunLogBatch, RunLogLine, logLevels } from './logs.ts';
export { BrowseAnswer, BrowseRequest, DiscoverAnswer, HostDiscovery, HostEntry, HostEvidence, HostNote, type RpcMethod, RpcReply, rpcMethods } from './rpc.ts';
