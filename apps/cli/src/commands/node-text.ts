import { humanBytes, table } from '../format.ts';

/** A node as the interface shows it; what the command line uses of it. */
export interface NodeView {
  readonly id: string;
  readonly revision: number;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
  readonly drained: boolean;
  readonly drainReason?: string;
  readonly disabled: boolean;
  readonly disabledReason?: string;
  readonly presence: string;
  readonly presenceSince?: string;
  readonly presenceReason?: string;
  readonly version?: string;
  readonly lastSeenAt?: string;
  readonly addedAt: string;
  readonly enrolledAt?: string;
  readonly host?: {
    readonly hostname: string; readonly platform: string; readonly arch: string; readonly os?: string; readonly kernel?: string; readonly cpus?: number;
    readonly memory?: number; readonly installMode?: string;
  };
  readonly heartbeat?: {
    readonly ip: string; readonly mac: string; readonly load: number; readonly skewMs: number; readonly running: number; readonly cpuPercent?: number;
    readonly memoryFree?: number; readonly memoryTotal?: number; readonly diskFree?: number; readonly diskTotal?: number;
  };
  readonly upgrade?: { readonly status: string; readonly version: string; readonly stage?: string; readonly code?: string; readonly detail?: string };
  readonly alarms: readonly { readonly code: string; readonly detail: string }[];
}

const because = (reason: string | undefined): string => (reason ? ` (${reason})` : '');

/** One word or two on what a node is doing: its presence, and what keeps work away. */
export const presenceText = ({ presence, drained, disabled, alarms }: NodeView): string =>
  [presence, ...(disabled ? ['disabled'] : []), ...(drained ? ['drained'] : []), ...alarms.map(({ code }) => code)].join(', ');

const share = (free: number | undefined, total: number | undefined): string | undefined =>
  free === undefined ? undefined : `${humanBytes(free)} free${total === undefined ? '' : ` of ${humanBytes(total)}`}`;

/** What a line is about, and what is known of it, if anything. */
type Row = readonly [string, string | undefined];

const hostRows = (host: NonNullable<NodeView['host']>): Row[] => [
  ['host', `${host.hostname}, ${host.os ?? host.platform}, ${host.arch}`],
  ['kernel', host.kernel],
  ['processors', host.cpus === undefined ? undefined : String(host.cpus)],
  ['installed as', host.installMode],
];

const heartbeatRows = (beat: NonNullable<NodeView['heartbeat']>): Row[] => [
  ['address', `${beat.ip} ${beat.mac}`.trim()],
  ['load', `${beat.load.toFixed(2)}${beat.cpuPercent === undefined ? '' : `, processors ${beat.cpuPercent} % busy`}`],
  ['memory', share(beat.memoryFree, beat.memoryTotal)],
  ['disk', share(beat.diskFree, beat.diskTotal)],
  ['clock', `${Math.abs(beat.skewMs)} ms ${beat.skewMs < 0 ? 'behind' : 'ahead'}`],
  ['running', String(beat.running)],
];

const upgradeText = ({ upgrade }: NodeView): string | undefined =>
  upgrade && `to ${upgrade.version}: ${upgrade.status}${because(upgrade.stage)}${upgrade.code ? `, ${upgrade.code}: ${upgrade.detail}` : ''}`;

/** Everything known of a node, a line each; alarms first. */
export const nodeText = (node: NodeView): string => {
  const rows: Row[] = [
    ...node.alarms.map(({ code, detail }) => ['ALARM', `${code}: ${detail}`] as const),
    ['id', node.id], ['name', node.name],
    ['labels', Object.entries(node.labels).map(([key, value]) => `${key}=${value}`).join(' ') || undefined],
    ['presence', `${node.presence}${node.presenceSince ? ` since ${node.presenceSince}` : ''}${because(node.presenceReason)}`],
    ['last seen', node.lastSeenAt],
    ['drained', node.drained ? `yes${because(node.drainReason)}` : undefined],
    ['disabled', node.disabled ? `yes${because(node.disabledReason)}` : undefined],
    ['slots', String(node.slots)],
    ['agent', node.version], ['upgrade', upgradeText(node)],
    ...(node.host ? hostRows(node.host) : []), ...(node.heartbeat ? heartbeatRows(node.heartbeat) : []),
    ['added', node.addedAt], ['enrolled', node.enrolledAt],
  ];
  const known = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return table(['', ''], known).trimStart();
};
