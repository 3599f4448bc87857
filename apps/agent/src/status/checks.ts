import { inboxPrefixOf } from '#identity';
import { type Clock, parseTime, silentLogger } from '#kernel';
import { tryCredential } from '#messaging';
import { type NetworkSettings, dialOf, httpOf } from '../network/network.ts';
import type { NodeIdentity } from '../state/node-identity.ts';
import { type Obstacle, explain } from './explain.ts';

/** One look from this host. */
export interface Check {
  /** What was looked at. */
  readonly what: string;
  readonly ok: boolean;
  readonly obstacle?: Obstacle;
  readonly detail: string;
}

/** Milliseconds by which two clocks may differ without a word. */
const tolerableSkewMs = 60_000;
const timeoutMs = 10_000;

const headerOf = (value: string | string[] | undefined): string => (Array.isArray(value) ? value[0] : value) ?? '';

const clockCheck = (date: string, now: number): readonly Check[] => {
  const skew = now - parseTime(date);
  if (Number.isNaN(skew)) return [];
  const [seconds, ahead] = [Math.round(Math.abs(skew) / 1000), skew > 0 ? 'ahead of' : 'behind'];
  return Math.abs(skew) <= tolerableSkewMs
    ? [{ what: 'clock', ok: true, detail: 'agrees with the master\'s' }]
    : [{ what: 'clock', ok: false, obstacle: 'clock', detail: `the clock of this host is ${seconds} s ${ahead} the master's; set it (timedatectl set-ntp true)` }];
};

/** Asks the master how it is: over DNS, TCP, TLS and any proxy on the way; its answer tells its clock too. */
const checkMaster = async (master: string, network: NetworkSettings, clock: Clock): Promise<readonly Check[]> => {
  const what = `master ${master}`;
  const http = httpOf(network);
  try {
    const { status, headers } = await http({ method: 'GET', url: new URL('/health/live', master).href, headers: {}, maxBytes: 65_536, signal: AbortSignal.timeout(timeoutMs) });
    const foreign = headerOf(headers['content-type']).includes('html');
    const ok = status < 500 && !foreign;
    const detail = foreign ? 'a web page came: a proxy on the way answers in its place' : `answers ${status}`;
    return [{ what, ok, detail, ...(ok ? {} : { obstacle: foreign ? 'proxy' as const : 'answer' as const }) }, ...clockCheck(headerOf(headers['date']), clock.now())];
  } catch (error) {
    return [{ what, ok: false, ...explain(error) }];
  } finally {
    http.close();
  }
};

/** Connects once as this node, which shows that name, port, certificate and credential are in order. */
const checkBus = async (url: string, { facts, natsSeed, natsJwt, caCertificate: ca }: NodeIdentity, network: NetworkSettings, clock: Clock): Promise<Check> => {
  const what = `bus ${url}`;
  const dial = dialOf(network);
  try {
    await tryCredential({
      urls: [url], name: `holdfast-agent ${facts.node} status`, inboxPrefix: inboxPrefixOf(facts.node), clock, log: silentLogger,
      credential: { jwt: () => natsJwt, seed: natsSeed }, ...(ca === undefined ? {} : { ca }), ...(dial ? { dial } : {}),
    });
    return { what, ok: true, detail: 'takes the credential of this node' };
  } catch (error) {
    return { what, ok: false, ...explain(error) };
  }
};

/** Looks from this host at everything that the agent needs, one after the other. */
export const checkNetwork = async (identity: NodeIdentity, network: NetworkSettings, clock: Clock): Promise<readonly Check[]> => {
  const checks = [...await checkMaster(identity.facts.master, network, clock)];
  for (const url of identity.facts.natsUrls) checks.push(await checkBus(url, identity, network, clock));
  return checks;
};
