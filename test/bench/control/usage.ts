import { readFileSync, readdirSync } from 'node:fs';
import { loadavg } from 'node:os';

/** CPU seconds (user and system) that processes used between two moments, by name, and how busy the machine was. */
export interface Usage {
  readonly [name: string]: number;
}

const ticksPerSecond = 100;

interface Stat {
  readonly parent: number;
  readonly ticks: number;
}

const statOf = (pid: number): Stat | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [parent, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map((index) => Number(fields[index])) as [number, number, number, number, number];
    return { parent, ticks: user + system + childUser + childSystem };
  } catch {
    return undefined;
  }
};

/** CPU seconds of a process, its children and what of them has ended. */
const secondsOf = (pid: number): number => {
  const own = statOf(pid)?.ticks ?? 0;
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => statOf(Number(name)));
  return children.reduce((sum, child) => sum + (child?.parent === pid ? child.ticks : 0), own) / ticksPerSecond;
};

const ownSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Starts to measure this process (`bench`) and others; the answer tells what they have used since, and the load average of the last minute. */
export const measureUsage = (pids: Readonly<Record<string, number>>): (() => Usage) => {
  const readings = [{ name: 'bench', read: ownSeconds }, ...Object.entries(pids).map(([name, pid]) => ({ name, read: () => secondsOf(pid) }))];
  const before = readings.map(({ read }) => read());
  return () => ({
    ...Object.fromEntries(readings.map(({ name, read }, index) => [name, Number((read() - (before[index] ?? 0)).toFixed(2))])),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  });
};

/** The most memory a process has held at a time, MiB. */
export const peakMiB = (pid: number): number =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024);
