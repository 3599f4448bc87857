import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsOptional, IsString, IsUrl, Matches, MaxLength, ValidateNested } from 'class-validator';
import { parseMessage } from '#contracts';
import { AppError, fault } from '#kernel';
import { readTextFile, removeFile, writePrivateFile } from './private-file.ts';
import type { StateDirectory } from './state-directory.ts';

/** A public key with which masters sign what they say to agents. */
export class PinnedKey {
  @IsString() @MaxLength(64) id: string;
  /** Ed25519 public key, PEM (SPKI). */
  @IsString() @MaxLength(1024) publicKey: string;
}

/** What `node.json` holds; no secret. */
export class NodeFacts {
  @Matches(/^node_[0-9a-z]{20}$/) node: string;
  /** Where the node enrolled and where relayed objects go. */
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true }) master: string;
  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(16) @IsString({ each: true }) natsUrls: string[];
  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(16) @ValidateNested({ each: true }) @Type(() => PinnedKey) commandKeys: PinnedKey[];
  @IsOptional() @IsString() @MaxLength(64) installation?: string;
}

/** Who this agent is: what enrolment wrote. Never log it. */
export interface NodeIdentity {
  readonly facts: NodeFacts;
  /** `SU...`: the node's NATS key; made on this host and never sent anywhere. */
  readonly natsSeed: string;
  readonly natsJwt: string;
  /** `AGE-SECRET-KEY-1...`: opens what masters seal to this node. */
  readonly ageIdentity: string;
  /** PEM of the authority that signed the certificates of NATS and master, when it is not a public one. */
  readonly caCertificate?: string;
}

const required = (file: string): string => {
  const text = readTextFile(file);
  if (text === undefined) throw fault('refused', 'identity-incomplete', `${file} is missing; enrol this node again with a new link`);
  return text.trim();
};

const parseFacts = (file: string, text: string): NodeFacts => {
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch (cause) {
    throw fault('refused', 'identity-damaged', `${file} is not JSON; enrol this node again with a new link`, { cause });
  }
  const facts = parseMessage(NodeFacts, plain);
  if (!facts.ok) throw new AppError({ ...facts.error, code: 'identity-damaged', kind: 'refused' });
  return facts.value;
};

/** The node's facts when it is enrolled; undefined before. */
export const readNodeFacts = (state: StateDirectory): NodeFacts | undefined => {
  const text = readTextFile(state.node);
  return text === undefined ? undefined : parseFacts(state.node, text);
};

/** Everything enrolment wrote. Throws `not-enrolled`, `identity-incomplete` or `identity-damaged`. */
export const readNodeIdentity = (state: StateDirectory): NodeIdentity => {
  const facts = readNodeFacts(state);
  if (!facts) {
    throw fault('refused', 'not-enrolled', `${state.root} holds no identity; run "holdfast-agent enrol --master URL --token-file FILE --state ${state.root}" first`);
  }
  const ca = readTextFile(state.caCertificate);
  return {
    facts,
    natsSeed: required(state.natsSeed),
    natsJwt: required(state.natsJwt),
    ageIdentity: required(state.ageIdentity),
    ...(ca === undefined ? {} : { caCertificate: ca }),
  };
};

/** Writes an identity; `node.json` last, so that a half-written one does not count. A rotation that was in hand is over. */
export const writeNodeIdentity = (state: StateDirectory, identity: NodeIdentity): void => {
  removeFile(state.rotation);
  writePrivateFile(state.natsSeed, identity.natsSeed);
  writePrivateFile(state.natsJwt, identity.natsJwt);
  writePrivateFile(state.ageIdentity, identity.ageIdentity);
  if (identity.caCertificate !== undefined) writePrivateFile(state.caCertificate, identity.caCertificate);
  writePrivateFile(state.node, JSON.stringify(identity.facts, undefined, 2));
};

/** Writes other command keys down, when they are others; true then. Only keys from an answer signed by a pinned key may come here. */
export const pinCommandKeys = (state: StateDirectory, commandKeys: readonly PinnedKey[]): boolean => {
  const facts = readNodeFacts(state);
  const plain = commandKeys.map(({ id, publicKey }) => ({ id, publicKey }));
  if (!facts || JSON.stringify(facts.commandKeys) === JSON.stringify(plain)) return false;
  writePrivateFile(state.node, JSON.stringify({ ...facts, commandKeys: plain }, undefined, 2));
  return true;
};
