import { type Socket, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionOptions, NatsConnection } from 'nats';
// The client has no option for how a connection is opened; its own transport has one method that does it. Version 2 is frozen.
import { NatsConnectionImpl } from 'nats/lib/nats-base-client/nats.js';
import { setTransportFactory } from 'nats/lib/nats-base-client/transport.js';
import { NodeTransport } from 'nats/lib/src/node_transport.js';
import type { Dial } from '#kernel';

class DialledTransport extends NodeTransport {
  private readonly open: Dial;
  private server = '';

  constructor(open: Dial) {
    super();
    this.open = open;
  }

  /** Nobody has looked the server's name up: it is what the URL says. */
  override connect({ hostname, port }: { hostname: string; port: number; tlsName: string }, options: ConnectionOptions): Promise<void> {
    this.server = hostname;
    return super.connect({ hostname, port, tlsName: isIP(hostname) ? '' : hostname }, options);
  }

  /** The certificate is checked for the server's name; the socket knows the proxy's only. */
  override startTLS(): Promise<TLSSocket> {
    this.options = { ...this.options, tls: { ...this.options.tls, host: this.server } as ConnectionOptions['tls'] & object };
    return super.startTLS();
  }

  override async dial({ hostname, port }: { hostname: string; port: number }): Promise<Socket> {
    return this.open({ host: hostname, port });
  }
}

/** Connects as `connect` of the client does, with connections that `dial` opens. All connections of the process go that way from then on. */
export const connectThrough = (dial: Dial, options: ConnectionOptions): Promise<NatsConnection> => {
  setTransportFactory({ factory: () => new DialledTransport(dial) });
  // Names are looked up where the connection leaves: behind the proxy. Servers that others announce may be names of another network.
  return NatsConnectionImpl.connect({ ...options, resolve: false, ignoreClusterUpdates: true });
};
