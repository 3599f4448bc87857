import { type AppError, type Endpoint, fault } from '#kernel';

const ports = { http: 80, https: 443, socks5: 1080, socks5h: 1080 } as const;

/** A proxy as its URL says. */
export interface Proxy {
  /** `socks5` looks names up on this host, `socks5h` leaves them to the proxy, as those of the others. */
  readonly kind: keyof typeof ports;
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  /** Secret. */
  readonly password?: string;
  /** The URL without the log-in. */
  readonly shown: string;
}

/** Throws `proxy-invalid`. */
export const proxyOf = (text: string): Proxy => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const kind = url?.protocol.slice(0, -1) as Proxy['kind'];
  if (!url?.hostname || !Object.hasOwn(ports, kind)) {
    throw fault('validation', 'proxy-invalid', 'The proxy must be a URL such as http://proxy:3128, https://proxy, socks5://bastion:1080 or socks5h://bastion:1080');
  }
  const port = url.port ? Number(url.port) : ports[kind];
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  if (Buffer.byteLength(user) > 255 || Buffer.byteLength(password) > 255) throw fault('validation', 'proxy-invalid', 'Name and password for the proxy have 255 bytes at most');
  return {
    kind, port, host: url.hostname.replace(/^\[|\]$/g, ''), shown: `${kind}://${url.hostname}:${port}`,
    ...(user === '' ? {} : { user, password }),
  };
};

/** True for a host that is reached without the proxy: named in `exceptions`, or below a domain (`.example.com`) there. */
export const isDirect = (host: string, exceptions: readonly string[]): boolean => {
  const name = host.toLowerCase();
  return exceptions.map((one) => one.toLowerCase()).some((one) => one === '*' || name === one || (one.startsWith('.') && name.endsWith(one)));
};

/** What a proxy said no to. */
export const proxyRefused = ({ shown }: Proxy, { host, port }: Endpoint, why: string): AppError =>
  fault('unavailable', 'proxy-refused', `The proxy ${shown} does not connect to ${host}:${port}: ${why}`);
