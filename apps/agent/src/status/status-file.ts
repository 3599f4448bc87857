import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTextFile } from '../state/private-file.ts';
import type { StateDirectory } from '../state/state-directory.ts';

/** What a running agent writes down about itself, for `status`: its database is locked while it runs. No secret. Times in RFC 3339. */
export interface AgentStatus {
  readonly pid: number;
  readonly version: string;
  readonly startedAt: string;
  /** When this was written; one that is older than a minute is of an agent that was killed or hangs. */
  readonly at: string;
  readonly node: string;
  /** URL without a log-in. */
  readonly server: string;
  readonly connected: boolean;
  /** Since when it is connected, or is not. */
  readonly since: string;
  readonly running: readonly { readonly run: string; readonly attempt: number; readonly acceptedAt: string }[];
  /** Reports that wait to be taken by the bus, and those that were refused for good. */
  readonly waitingReports: number;
  readonly refusedReports: number;
  /** Set when the agent ended in order. */
  readonly ended?: boolean;
}

const fileOf = ({ root }: StateDirectory): string => join(root, 'status.json');

/** Replaces the status in one step. Not durable: after a power cut nobody asks for it. */
export const writeStatus = (state: StateDirectory, status: AgentStatus): void => {
  const temporary = `${fileOf(state)}.new`;
  writeFileSync(temporary, JSON.stringify(status), { mode: 0o600 });
  renameSync(temporary, fileOf(state));
};

/** The last status; undefined when no agent has run here, or when it cannot be understood. */
export const readStatus = (state: StateDirectory): AgentStatus | undefined => {
  const text = readTextFile(fileOf(state));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as AgentStatus;
  } catch {
    return undefined;
  }
};
