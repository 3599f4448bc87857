import { freemem, hostname, loadavg, networkInterfaces } from 'node:os';

/** What a heartbeat says of the host. */
export interface HostFacts {
  readonly hostname: string;
  readonly ip: string;
  readonly mac: string;
  readonly load: number;
  readonly memoryFree: number;
}

const isUsable = (mac: string): boolean => mac !== '00:00:00:00:00:00';

/** Name, first outward address (IPv4 before IPv6), one-minute load. A host without a network has loopback. */
export const hostFacts = (): HostFacts => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.filter((address) => !address.internal && !address.address.startsWith('fe80:'));
  const chosen = outward.find((address) => address.family === 'IPv4') ?? outward[0] ?? addresses[0];
  const mac = chosen && isUsable(chosen.mac) ? chosen.mac : (addresses.find((address) => isUsable(address.mac))?.mac ?? '');
  return { hostname: hostname(), ip: chosen?.address ?? '', mac, load: loadavg()[0] ?? 0, memoryFree: freemem() };
};
