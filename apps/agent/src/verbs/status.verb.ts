import { existsSync } from 'node:fs';
import type { Variables } from '#config';
import { decodeJwt } from '#identity';
import { type Clock, parseTime, rfc3339, systemClock } from '#kernel';
import { readAgentConfig } from '../config.ts';
import { networkOf } from '../network/network.ts';
import { type NodeIdentity, readNodeIdentity } from '../state/node-identity.ts';
import { stateDirectoryAt } from '../state/state-directory.ts';
import { type Check, checkNetwork } from '../status/checks.ts';
import { type AgentStatus, readStatus } from '../status/status-file.ts';
import { parseFlags } from './arguments.ts';
import { withInstalledSettings, withSettings } from './config-file.ts';

/** A status that is older is of an agent that was killed or hangs. */
const freshMs = 60_000;

/** How the agent of a state directory is. */
export interface StatusReport {
  readonly node: string;
  readonly master: string;
  readonly natsUrls: readonly string[];
  /** RFC 3339; absent for one that never expires. */
  readonly credentialExpires?: string;
  /** `running`: it writes its status. `stopped`: it ended, or never ran. `silent`: it is gone or hangs without having ended. */
  readonly agent: 'running' | 'stopped' | 'silent';
  /** The last that the agent wrote about itself. */
  readonly last?: AgentStatus;
  /** With `--check`: what this host sees of the network now. */
  readonly checks?: readonly Check[];
}

const agentOf = (last: AgentStatus | undefined, now: number): StatusReport['agent'] => {
  if (!last || last.ended) return 'stopped';
  return existsSync(`/proc/${last.pid}`) && now - parseTime(last.at) < freshMs ? 'running' : 'silent';
};

/** What is known of the agent of a state directory. */
export const statusOf = (identity: NodeIdentity, last: AgentStatus | undefined, clock: Clock): StatusReport => {
  const { node, master, natsUrls } = identity.facts;
  const { exp } = decodeJwt(identity.natsJwt);
  return {
    node, master, natsUrls, agent: agentOf(last, clock.now()),
    ...(exp === undefined ? {} : { credentialExpires: rfc3339(exp * 1000) }), ...(last ? { last } : {}),
  };
};

const days = (ms: number): string => (ms < 0 ? 'EXPIRED' : ms < 172_800_000 ? `in ${Math.floor(ms / 3_600_000)} h` : `in ${Math.floor(ms / 86_400_000)} days`);

/** The report for people. */
export const statusLines = (report: StatusReport, now: number): string[] => {
  const { last, credentialExpires: expires, checks = [] } = report;
  const connected = report.agent === 'running' && last?.connected;
  return [
    `node        ${report.node} of ${report.master}`,
    `agent       ${report.agent}${last ? `, version ${last.version}, process ${last.pid}, started ${last.startedAt}` : ''}`,
    `connected   ${connected ? `yes, to ${last.server} since ${last.since}` : `no${last && report.agent === 'running' ? `, since ${last.since}` : ''}; the bus is ${report.natsUrls.join(', ')}`}`,
    `credential  ${expires === undefined ? 'does not expire' : `expires ${expires} (${days(parseTime(expires) - now)})`}`,
    ...(last ? [
      `reports     ${last.waitingReports} wait to be sent, ${last.refusedReports} were refused for good`,
      `running     ${last.running.length === 0 ? 'nothing' : last.running.map(({ run, attempt, acceptedAt }) => `${run} (attempt ${attempt}, since ${acceptedAt})`).join(', ')}`,
      `as of       ${last.at}`,
    ] : []),
    ...checks.map(({ what, ok, obstacle, detail }) => `${ok ? 'ok  ' : 'FAIL'}        ${what}: ${ok ? '' : `${(obstacle ?? '').toUpperCase()}: `}${detail}`),
  ];
};

const isWell = ({ agent, last, checks = [] }: StatusReport): boolean => agent === 'running' && last?.connected === true && checks.every(({ ok }) => ok);

/** `holdfast-agent status`: prints, and resolves with the exit code: 0 when the agent runs and is connected (and all checks pass), else 1. Throws `not-enrolled`. */
export const statusVerb = async (args: readonly string[], variables: Variables): Promise<number> => {
  const flags = parseFlags('status', args, { state: { type: 'string' }, config: { type: 'string' }, check: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } });
  const settings = flags.config === undefined ? withInstalledSettings(variables) : withSettings(flags.config, variables);
  const config = readAgentConfig({ ...settings, ...(flags.state === undefined ? {} : { HOLDFAST_STATE_DIR: flags.state }) });
  const state = stateDirectoryAt(config.stateDir);
  const identity = readNodeIdentity(state);
  const found = statusOf(identity, readStatus(state), systemClock);
  const report = flags.check ? { ...found, checks: await checkNetwork(identity, networkOf(config.network, { ca: identity.caCertificate }), systemClock) } : found;
  process.stdout.write(flags.json ? `${JSON.stringify({ message_type: 'agent-status', ...report })}\n` : `${statusLines(report, systemClock.now()).join('\n')}\n`);
  return isWell(report) ? 0 : 1;
};
