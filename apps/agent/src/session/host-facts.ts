import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, hostname, loadavg, networkInterfaces, release, totalmem } from 'node:os';
import type { HostReport, InstallMode } from '#contracts';
import { agentVersion } from '../version.ts';

/** What a heartbeat says of the host. */
export interface HostFacts {
  readonly hostname: string;
  readonly ip: string;
  readonly mac: string;
  readonly load: number;
  readonly memoryFree: number;
  readonly memoryTotal: number;
  /** Since the last time it was asked; absent the first time. */
  readonly cpuPercent?: number;
  /** Of the file system of the state directory; absent where that cannot be told. */
  readonly disk?: { readonly free: number; readonly total: number };
}

const isUsable = (mac: string): boolean => mac !== '00:00:00:00:00:00';

const osName = (): string | undefined => {
  try {
    return /^PRETTY_NAME="?([^"\n]{1,128})/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
};

/** What does not change while the agent runs. */
export const hostReport = (installMode: InstallMode): HostReport => {
  const os = osName();
  return {
    hostname: hostname(), platform: process.platform, arch: process.arch, agentVersion, kernel: release().slice(0, 128), cpus: availableParallelism(),
    memory: totalmem(), installMode, ...(os === undefined ? {} : { os }),
  };
};

const processorTime = (): { readonly busy: number; readonly all: number } =>
  cpus().reduce((sum, { times: { user, nice, sys, idle, irq } }) => ({ busy: sum.busy + user + nice + sys + irq, all: sum.all + user + nice + sys + irq + idle }), { busy: 0, all: 0 });

const diskOf = (folder: string): HostFacts['disk'] => {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch {
    return undefined;
  }
};

/** First outward address, IPv4 before IPv6; loopback on a host without a network. */
const addressNow = (): Pick<HostFacts, 'ip' | 'mac'> => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.filter((address) => !address.internal && !address.address.startsWith('fe80:'));
  const chosen = outward.find((address) => address.family === 'IPv4') ?? outward[0] ?? addresses[0];
  const mac = chosen && isUsable(chosen.mac) ? chosen.mac : (addresses.find((address) => isUsable(address.mac))?.mac ?? '');
  return { ip: chosen?.address ?? '', mac };
};

const busyBetween = (before: ReturnType<typeof processorTime>, now: ReturnType<typeof processorTime>): number | undefined => {
  const passed = now.all - before.all;
  return passed > 0 ? Math.min(100, Math.max(0, Math.round(((now.busy - before.busy) / passed) * 1000) / 10)) : undefined;
};

/** Name and address of the host, and how busy it is. */
export const hostFactsOf = (stateDir: string): (() => HostFacts) => {
  let before: ReturnType<typeof processorTime> | undefined;
  return () => {
    const now = processorTime();
    const cpuPercent = before && busyBetween(before, now);
    before = now;
    const disk = diskOf(stateDir);
    return {
      hostname: hostname(), ...addressNow(), load: loadavg()[0] ?? 0, memoryFree: freemem(), memoryTotal: totalmem(),
      ...(cpuPercent === undefined ? {} : { cpuPercent }), ...(disk ? { disk } : {}),
    };
  };
};
