import type { DomainEvent } from '#event-store';

/** A bucket, or a folder of one, of anything that speaks S3. The secret key is in the vault. */
export interface S3Settings {
  readonly kind: 's3';
  /** `https://host[:port]`; absent: AWS. */
  readonly endpoint?: string;
  readonly region: string;
  readonly bucket: string;
  /** Folder in the bucket; empty for all of it. */
  readonly prefix: string;
  /** `https://host/bucket` instead of `https://bucket.host`. */
  readonly pathStyle: boolean;
  readonly accessKeyId: string;
}

/** A folder of the master's own disk, reached through its relay. */
export interface BuiltinSettings {
  readonly kind: 'builtin';
}

export type TargetSettings = S3Settings | BuiltinSettings;

/** `secret` names the sealed entry of the vault that holds the secret part of the settings. */
export type TargetAdded = DomainEvent<'TargetAdded', { readonly name: string; readonly settings: TargetSettings; readonly secret?: string }>;
export type TargetChanged = DomainEvent<'TargetChanged', { readonly name?: string; readonly settings?: TargetSettings; readonly secret?: string }>;
/** What a test of the real storage showed. */
export type TargetTested = DomainEvent<'TargetTested', {
  readonly passed: boolean;
  /** Agents may upload to it directly; otherwise the relay stands between. */
  readonly presigned: boolean;
  readonly steps: readonly { readonly step: string; readonly passed: boolean; readonly detail?: string }[];
}>;
/** Final. Objects stay where they are. */
export type TargetRemoved = DomainEvent<'TargetRemoved', { readonly name: string }>;

export type TargetEvent = TargetAdded | TargetChanged | TargetTested | TargetRemoved;
