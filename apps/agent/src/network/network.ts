import { once } from 'node:events';
import { connect } from 'node:net';
import { type Dial, fault, messageOf } from '#kernel';
import { type HttpSend, nodeAgents, nodeHttp } from '#storage';
import { connectOverHttp } from './http-connect.ts';
import { isDirect, proxyOf } from './proxy-url.ts';
import { connectOverSocks } from './socks5.ts';

/** How this host reaches the network. Plain data: it goes to data planes over their private channel. */
export interface NetworkSettings {
  /** URL of a proxy, perhaps with a log-in: secret. */
  readonly proxy?: string;
  /** Hosts that are reached without it. */
  readonly direct?: readonly string[];
  /** PEM of an authority that is trusted beside the usual ones. */
  readonly ca?: string;
  /** For tests: certificates of HTTPS servers are not checked. */
  readonly insecureTls?: boolean;
}

/** From what is set for the agent and what its enrolment brought. */
export const networkOf = (
  { proxy, direct }: { readonly proxy?: string; readonly direct: readonly string[] }, { ca, insecureTls }: { readonly ca?: string | undefined; readonly insecureTls?: boolean },
): NetworkSettings => ({
  ...(proxy === undefined ? {} : { proxy, direct }), ...(ca === undefined ? {} : { ca }), ...(insecureTls ? { insecureTls } : {}),
});

/** How long opening a connection through a proxy may take, in milliseconds. */
const dialMs = 15_000;

const straight: Dial = async ({ host, port }) => {
  const socket = connect({ host, port });
  await once(socket, 'connect', { signal: AbortSignal.timeout(dialMs) }).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  return socket;
};

/** The way through the proxy; undefined where there is none. Throws `proxy-invalid`; what it returns rejects with `proxy-unreachable` or `proxy-refused`. */
export const dialOf = ({ proxy: url, direct = [] }: NetworkSettings): Dial | undefined => {
  if (url === undefined) return undefined;
  const proxy = proxyOf(url);
  const tunnel = proxy.kind.startsWith('socks') ? connectOverSocks : connectOverHttp;
  return async (to) => {
    const socket = await (isDirect(to.host, direct) ? straight(to) : tunnel(proxy, to, AbortSignal.timeout(dialMs))).catch((error: unknown) => {
      throw error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name)
        ? fault('unavailable', 'proxy-unreachable', `The proxy ${proxy.shown} did not answer in ${dialMs / 1000} s (${messageOf(error)})`, { cause: error })
        : error;
    });
    return socket.setNoDelay(true);
  };
};

const optionsOf = (settings: NetworkSettings): Parameters<typeof nodeHttp>[0] => {
  const dial = dialOf(settings);
  return { ...(settings.ca === undefined ? {} : { ca: [settings.ca] }), ...(dial ? { dial } : {}), ...(settings.insecureTls ? { insecureTls: true } : {}) };
};

/** HTTP over this host's way into the network; `close` it. */
export const httpOf = (settings: NetworkSettings): HttpSend & { readonly close: () => void } => nodeHttp(optionsOf(settings));

/** The same for those who read an answer as a stream: Node's agents, to be destroyed. */
export const agentsOf = (settings: NetworkSettings): ReturnType<typeof nodeAgents> => nodeAgents(optionsOf(settings));
