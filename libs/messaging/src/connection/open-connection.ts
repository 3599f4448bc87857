import { type Socket, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionOptions, NatsConnection } from 'nats';
// The client has no option for how a connection is opened and given up; its own transport has one method for each. Version 2 is frozen.
import { NatsConnectionImpl } from 'nats/lib/nats-base-client/nats.js';
import { setTransportFactory } from 'nats/lib/nats-base-client/transport.js';
import { NodeTransport, nodeResolveHost } from 'nats/lib/src/node_transport.js';
import { type Dial, fault } from '#kernel';

interface Server {
  readonly hostname: string;
  readonly port: number;
}

/**
 * The client's transport, whose tries end when they are given up. The client closes a try after 20 s, and its own transport ignores that
 * as long as the server has not greeted: behind a server that stood still, or a network that dropped packets, the socket is greeted later,
 * hung up by the server after that, and taken for the end of the connection that works meanwhile. From then on the client has two
 * connections, of which the servers end one every half a minute, and everything comes twice.
 */
export class BusTransport extends NodeTransport {
  private givenUp = false;

  override async dial(server: Server): Promise<Socket> {
    const socket = await this.reach(server);
    if (this.givenUp) {
      socket.destroy();
      throw fault('unavailable', 'bus-unreachable', 'The bus was reached after the try had been given up');
    }
    return (this.socket = socket);
  }

  override async close(error?: Error): Promise<void> {
    if (this.connected) return super.close(error);
    this.givenUp = true;
    (this.socket as Socket | undefined)?.destroy();
  }

  /** Opens the socket. */
  protected reach(server: Server): Promise<Socket> {
    return super.dial(server);
  }
}

class DialledTransport extends BusTransport {
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

  protected override reach({ hostname, port }: Server): Promise<Socket> {
    return this.open({ host: hostname, port });
  }
}

/** Connects as `connect` of the client does, with connections that `dial` opens, if any. All connections of the process go that way from then on. */
export const openConnection = (options: ConnectionOptions, dial?: Dial): Promise<NatsConnection> => {
  if (!dial) {
    setTransportFactory({ factory: () => new BusTransport(), dnsResolveFn: nodeResolveHost });
    return NatsConnectionImpl.connect(options);
  }
  setTransportFactory({ factory: () => new DialledTransport(dial) });
  // Names are looked up where the connection leaves: behind the proxy. Servers that others announce may be names of another network.
  return NatsConnectionImpl.connect({ ...options, resolve: false, ignoreClusterUpdates: true });
};
