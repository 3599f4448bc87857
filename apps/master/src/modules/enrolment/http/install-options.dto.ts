import { IsBoolean, IsIn, IsOptional, IsUrl, Matches, MaxLength } from 'class-validator';
import type { InstallOptions } from '../domain/enrolment.events.ts';

/** How long a link may live. */
export const linkLives = { '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 } as const;

/** No user, no password, nothing a shell or a service manager could read as more than a URL. */
const plainUrl = /^(https?|socks5h?):\/\/[A-Za-z0-9.:[\]_-]+(\/[A-Za-z0-9._~/-]*)?$/;

/** How links are made, one or many. */
export class InstallOptionsRequest {
  /** Default 15m. */
  @IsOptional() @IsIn(Object.keys(linkLives)) life?: keyof typeof linkLives;
  /** How the one-line command installs the agent: a service of systemd, a container, or until Ctrl-C. Default systemd. */
  @IsOptional() @IsIn(['systemd', 'docker', 'foreground']) mode?: 'systemd' | 'docker' | 'foreground';
  /** Default auto: that of the host. */
  @IsOptional() @IsIn(['auto', 'amd64', 'arm64']) arch?: 'auto' | 'amd64' | 'arm64';
  /** Version of the agent. Default: the master's. */
  @IsOptional() @Matches(/^(current|\d{1,4}\.\d{1,4}\.\d{1,4}(-[0-9A-Za-z.]{1,32})?)$/, { message: 'version must be one such as 0.1.0' }) version?: string;
  /** How this host reaches a master, when not by the public URL. */
  @IsOptional() @MaxLength(500) @Matches(plainUrl, { message: 'masterUrl must be a URL such as https://backup.example.com, without a password' })
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true }) masterUrl?: string;
  /** Proxy for all that the agent says to masters and targets: `http`, `https`, `socks5` (names are looked up on the host) or `socks5h` (by the proxy), without a password. */
  @IsOptional() @MaxLength(500) @Matches(plainUrl, { message: 'proxy must be a URL such as http://proxy:3128 or socks5h://bastion:1080, without a password' })
  @IsUrl({ require_tld: false, protocols: ['http', 'https', 'socks5', 'socks5h'], require_protocol: true }) proxy?: string;
  /** PEM of the authority that signed the master's certificate, when it is not a public one. */
  @IsOptional() @MaxLength(65_536) @Matches(/^(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/, { message: 'ca must be certificates in PEM' }) ca?: string;
  /** The agent may write anywhere on the host, to restore to where files came from. Default false: only into its own folder. */
  @IsOptional() @IsBoolean() restores?: boolean;
}

/** With the defaults filled in. */
export const installOptionsOf = (request: InstallOptionsRequest): InstallOptions => {
  const { mode = 'systemd', arch = 'auto', version = 'current', masterUrl, ca, proxy, restores } = request;
  return {
    mode, arch, version, ...(masterUrl ? { master: masterUrl.replace(/\/+$/, '') } : {}), ...(proxy ? { proxy } : {}), ...(ca ? { ca: ca.trim() } : {}), ...(restores ? { restores } : {}),
  };
};
