import { fault } from '#kernel';

const isLoopback = (host: string): boolean => host === 'localhost' || /^127\./.test(host) || host === '[::1]';

export const insecureWarning = 'WARNING: --insecure-tls: certificates of HTTPS servers are NOT checked. Whoever is between this host and the master can be the master. For tests only';

/** Throws `insecure-tls-refused` unless the master is on this host or `HOLDFAST_TEST_INSECURE_TLS` says that this is a test. NATS is checked in any case. */
export const requireTest = (master: string, mayBeInsecure: boolean): void => {
  if (mayBeInsecure || isLoopback(new URL(master).hostname)) return;
  throw fault('refused', 'insecure-tls-refused',
    `--insecure-tls is for tests: it works for a master on this host, and elsewhere with HOLDFAST_TEST_INSECURE_TLS=true. Give the authority of ${master} with NODE_EXTRA_CA_CERTS instead`);
};
