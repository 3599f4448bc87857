import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fault } from '#kernel';

/** Where everything lies that an agent keeps between two starts. */
export interface StateDirectory {
  readonly root: string;
  /** Journal and outbox. */
  readonly database: string;
  /** Who the node is, its master and the command keys it pins; written last at enrolment. */
  readonly node: string;
  readonly natsSeed: string;
  readonly natsJwt: string;
  /** A rotation in hand: the new key, until the node has taken it up. */
  readonly rotation: string;
  readonly ageIdentity: string;
  readonly caCertificate: string;
  /** The engine's cache of one target's repository: id key, last manifests, known chunks, its own journal. */
  cacheOf(target: string): string;
}

/** The places in a state directory, without making or checking anything: for those who only look. */
export const stateDirectoryAt = (root: string): StateDirectory => {
  const file = (name: string): string => join(root, name);
  return {
    root,
    database: file('agent.db'),
    node: file('node.json'),
    natsSeed: file('nats.seed'),
    natsJwt: file('nats.jwt'),
    rotation: file('rotation.json'),
    ageIdentity: file('age.identity'),
    caCertificate: file('ca.pem'),
    cacheOf: (target) => {
      if (!/^[\w.-]{1,64}$/.test(target) || /^\.+$/.test(target)) {
        throw fault('validation', 'invalid-target-id', 'The id of a target has letters, digits, "_", "-" and "." only');
      }
      const dir = join(root, 'cache', target);
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      return dir;
    },
  };
};

/**
 * Makes the folder if need be, readable by its owner only. Throws `state-directory-exposed` when it belongs to somebody else: keys
 * would be written where another user can swap them.
 */
export const openStateDirectory = (root: string): StateDirectory => {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const owner = statSync(root).uid;
  const self = process.getuid?.();
  if (self !== undefined && owner !== self) {
    throw fault('refused', 'state-directory-exposed', `${root} belongs to user ${owner}; run the agent as that user, or give the folder to user ${self}`);
  }
  chmodSync(root, 0o700);
  return stateDirectoryAt(root);
};
