export { type NatsServerSearch, findNatsServer, isNatsServerNewEnough, oldestNatsServer } from './nats-server/find-nats-server.ts';
export { type NatsConfOptions, natsConf } from './nats-server/nats-conf.ts';
export { type Nkey, type NkeyKind, isNkey, newNkey, nkeyFromSeed, verifyNkey } from './nats/nkey.ts';
export { type ProofPurpose, isProven, prove } from './nats/proof.ts';
export { type DecodedJwt, type JwtClaims, decodeJwt, encodeJwt } from './nats/jwt.ts';
export { type AgentPermissions, agentPayloadLimit, assertNodeId, inboxPrefixOf, permissionsFor } from './nats/permissions.ts';
export { type CredentialState, type RevokedKey, agentsAccount, controlAccount } from './nats/accounts.ts';
export {
  type MasterUser, type NodeToken, type NodeTokenRequest, agentsToken, controlToken, issueNodeToken, newMasterUser,
} from './nats/tokens.ts';
export {
  type ClaimsCoverage, type ClaimsOutcome, type ClaimsReconciler, type ClaimsReconcilerOptions, type ClaimsResolver, type KnownServers, newClaimsReconciler,
} from './nats/claims-reconciler.ts';
export { type OperatorAccount, type OperatorCredentialRequest, operatorCredential } from './nats/operator-credential.ts';
export { natsClaimsResolver } from './nats/nats-resolver.ts';
export { type AgeKey, type InstallationKeys } from './keys/installation-keys.ts';
export { initKeys, loadKeys } from './keys/keys-folder.ts';
export { type PinnedKey, type SigningKey, newSigningKey, signingKeyFromPem } from './keys/signing-key.ts';
export { type ReplyKeys, openReply, signReply } from './keys/node-reply.ts';
export { openMessage, signMessage } from './keys/signed-message.ts';
export { deriveKey, secretFingerprint } from './secrets/derive.ts';
export { type Vault, newVault } from './secrets/vault.ts';
export { isAgeRecipient, newAgeKey, openSealed, sealTo } from './secrets/age.ts';
export { hashPassword, passwordLength, verifyPassword } from './secrets/password.ts';
export { type Bearer, type BearerKind, hashBearer, matchesBearer, newBearer } from './secrets/bearer.ts';
