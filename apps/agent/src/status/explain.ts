import { isAppError, messageOf } from '#kernel';

/** What stands between this host and a server. */
export type Obstacle = 'dns' | 'tcp' | 'refused' | 'tls' | 'clock' | 'login' | 'proxy' | 'answer';

const byCode: Readonly<Record<string, readonly [Obstacle, string]>> = {
  ENOTFOUND: ['dns', 'the name is not known; look at it and at /etc/resolv.conf'],
  EAI_AGAIN: ['dns', 'no name server answers; look at /etc/resolv.conf and at the network'],
  ECONNREFUSED: ['refused', 'the host answers and refuses: nothing listens at that port, or a firewall rejects it'],
  CONNECTION_REFUSED: ['refused', 'the host answers and refuses: nothing listens at that port, or a firewall rejects it'],
  ECONNRESET: ['refused', 'the connection was cut as soon as it was made; a firewall or proxy on the way does that'],
  EHOSTUNREACH: ['tcp', 'there is no way to that host; look at routes and firewalls'],
  ENETUNREACH: ['tcp', 'this host has no way into that network; look at its routes'],
  ETIMEDOUT: ['tcp', 'no answer; a firewall drops it, or the address is wrong'],
  TIMEOUT: ['tcp', 'no answer; a firewall drops it, or the address is wrong'],
  CERT_NOT_YET_VALID: ['clock', 'its certificate is not valid yet, so the clock of this host is behind'],
  CERT_HAS_EXPIRED: ['clock', 'its certificate has expired, or the clock of this host is ahead'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls', 'its certificate is for another name; reach it by the name in the certificate'],
  AUTHORIZATION_VIOLATION: ['login', 'the credential of this node is refused: revoked, or its time has passed; enrol with a new link'],
  AUTHENTICATION_EXPIRED: ['login', 'the credential of this node has expired; enrol with a new link'],
};

const untrusted = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|CERT_UNTRUSTED|CERT_SIGNATURE/;

const codeOf = (error: unknown): string => {
  for (let one = error; one instanceof Error; one = (one as { chainedError?: unknown }).chainedError ?? one.cause) {
    const { code } = one as { code?: unknown };
    if (typeof code === 'string' && (code in byCode || untrusted.test(code))) return code;
    if (one.name === 'TimeoutError') return 'TIMEOUT';
  }
  return '';
};

/** An error of a connection in words that say where to look. */
export const explain = (error: unknown): { readonly obstacle: Obstacle; readonly detail: string } => {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (isAppError(one) && one.code.startsWith('proxy-')) return { obstacle: 'proxy', detail: one.detail };
  }
  const code = codeOf(error);
  const [obstacle, detail] = byCode[code] ?? (untrusted.test(code)
    ? ['tls' as const, 'no authority that this host trusts has signed its certificate; make the link with the authority (--ca), or somebody listens in']
    : ['answer' as const, messageOf(error)]);
  return { obstacle, detail };
};
