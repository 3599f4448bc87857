import { join } from 'node:path';
import { type ConnectionOptions, type NatsConnection, connect, jwtAuthenticator } from 'nats';
import {
  type InstallationKeys, type Nkey, agentsToken, controlToken, inboxPrefixOf, initKeys, issueNodeToken, natsClaimsResolver, natsConf,
  newMasterUser, newNkey,
} from '#identity';
import { systemClock } from '#kernel';
import { freePort } from './free-port.ts';
import { type TestNats, startNatsServer } from './nats.ts';

/** A node's credential as its agent would hold it. */
export interface TestNodeCredential {
  readonly nodeId: string;
  readonly key: Nkey;
  readonly jwt: string;
}

/** A nats-server in operator mode with the accounts of an installation, pushed and ready. */
export interface TestOperatorNats extends TestNats {
  readonly keys: InstallationKeys;
  /** Folder of `keys`, as `loadKeys` reads it. */
  readonly keysDir: string;
  /** A new connection to CONTROL (all permissions) or SYSTEM. The caller closes it. */
  connectMaster(account?: 'control' | 'system', options?: ConnectionOptions): Promise<NatsConnection>;
  /** A new key and token for a node. */
  newCredential(nodeId: string): TestNodeCredential;
  /** A connection with a node's permissions and nothing more. The caller closes it. */
  connectAgent(credential: TestNodeCredential, options?: ConnectionOptions): Promise<NatsConnection>;
}

const authenticator = (jwt: string, key: Nkey) => jwtAuthenticator(jwt, new TextEncoder().encode(key.seed));

/** Starts a nats-server as an installation runs it. */
export const startOperatorNats = async (): Promise<TestOperatorNats> => {
  const keysDirOf = (dir: string): string => join(dir, 'keys');
  const nats = await startNatsServer({
    configure: async ({ port, dir }) => natsConf(await initKeys(keysDirOf(dir), systemClock), {
      listen: `127.0.0.1:${port}`, monitor: `127.0.0.1:${await freePort()}`, dataDir: dir, now: systemClock.now(),
    }),
  });
  const keysDir = keysDirOf(nats.dir);
  const keys = await initKeys(keysDir, systemClock);
  const connectMaster: TestOperatorNats['connectMaster'] = (account = 'control', options = {}) => {
    const user = newMasterUser(keys, account, `test-${account}`, systemClock.now());
    return connect({ servers: nats.url, authenticator: authenticator(user.jwt, user.key), ...options });
  };
  const system = await connectMaster('system');
  const resolver = natsClaimsResolver(system);
  await resolver.push(controlToken(keys, systemClock.now()));
  await resolver.push(agentsToken(keys, { sequence: 0, time: 0, revoked: [] }, systemClock.now()));
  await system.close();
  return {
    ...nats,
    keys,
    keysDir,
    connectMaster,
    newCredential: (nodeId) => {
      const key = newNkey('user');
      return { nodeId, key, jwt: issueNodeToken(keys, { nodeId, publicKey: key.publicKey, now: systemClock.now() }).jwt };
    },
    connectAgent: ({ nodeId, key, jwt }, options = {}) =>
      connect({ servers: nats.url, authenticator: authenticator(jwt, key), inboxPrefix: inboxPrefixOf(nodeId), ...options }),
  };
};
