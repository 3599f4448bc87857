import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installationAuthority, serverCertificate } from '#embedded';
import { type Clock, fault } from '#kernel';
import type { StackLayout } from './layout.ts';
import type { StackPorts } from './ports.ts';

/** How an embedded stack is reached. */
export interface StackNetwork {
  /** What servers bind to. */
  readonly host: '127.0.0.1' | '0.0.0.0';
  /** Name or address under which other hosts reach this one; the loopback address when they do not. */
  readonly address: string;
  /** Clients speak TLS to NATS; files of the server's certificate and of the authority. Always when other hosts connect. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
}

const loopback = '127.0.0.1';
const fileOf = (layout: StackLayout): string => join(layout.data, 'network.json');

/** The address that was chosen at this or an earlier start. */
export const advertised = (layout: StackLayout): string =>
  existsSync(fileOf(layout)) ? (JSON.parse(readFileSync(fileOf(layout), 'utf8')) as { address: string }).address : loopback;

/** The network of a stack with this address. */
export const networkOf = (layout: StackLayout): StackNetwork => {
  const address = advertised(layout);
  if (address === loopback) return { host: loopback, address };
  const tls = { certFile: join(layout.nats, 'server.pem'), keyFile: join(layout.nats, 'server.key'), caFile: join(layout.keys, 'ca.pem') };
  return { host: '0.0.0.0', address, tls };
};

const url = (network: StackNetwork, host: string, port: number): string => `${network.tls ? 'tls' : 'nats'}://${host}:${port}`;

/** Where processes of this host find NATS. */
export const localNatsUrl = (network: StackNetwork, ports: StackPorts): string => url(network, loopback, ports.nats);

/** Where agents of other hosts find NATS. */
export const advertisedNatsUrl = (network: StackNetwork, ports: StackPorts): string => url(network, network.address, ports.nats);

/** The agent of this host enrolled when the address was perhaps another: it trusts the authority as soon as NATS speaks TLS. */
const tellLocalAgent = (layout: StackLayout, certificate: string | undefined): void => {
  const file = join(layout.agent, 'ca.pem');
  if (certificate === undefined) return rmSync(file, { force: true });
  if (existsSync(join(layout.agent, 'node.json'))) writeFileSync(file, certificate, { mode: 0o600 });
};

/**
 * Keeps the address for this and later starts and makes the certificates that it asks for: the authority once, the server's at each start.
 * Throws `address-invalid` for what is neither an IPv4 address nor a host name.
 */
export const prepareNetwork = async (layout: StackLayout, address: string | undefined, clock: Clock): Promise<StackNetwork> => {
  if (address !== undefined) {
    if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(address) || address === '0.0.0.0') {
      throw fault('validation', 'address-invalid', `"${address}" is no name or IPv4 address of this host; name the one that other hosts reach it by`);
    }
    writeFileSync(fileOf(layout), `${JSON.stringify({ address })}\n`);
  }
  const network = networkOf(layout);
  if (!network.tls) {
    tellLocalAgent(layout, undefined);
    return network;
  }
  const authority = await installationAuthority(layout.keys, clock);
  const made = await serverCertificate(authority, [...new Set([network.address, loopback, 'localhost'])], clock.now());
  mkdirSync(layout.nats, { recursive: true, mode: 0o700 });
  writeFileSync(network.tls.keyFile, made.key, { mode: 0o600 });
  writeFileSync(network.tls.certFile, made.certificate, { mode: 0o600 });
  tellLocalAgent(layout, authority.certificate);
  return network;
};
