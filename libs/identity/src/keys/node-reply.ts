import type { RpcReply } from '#contracts';
import { fault } from '#kernel';
import { type Nkey, verifyNkey } from '../nats/nkey.ts';
import { openSealed, sealTo } from '../secrets/age.ts';

const signedBytes = (node: string, { sealed, payload }: Pick<RpcReply, 'sealed' | 'payload'>): Buffer =>
  Buffer.from(`holdfast/1 rpc-reply\0${node}\0${sealed ? 'sealed' : 'plain'}\0${payload}`, 'utf8');

/** What a node says to the master that asked: signed with its own key, and sealed to `recipient` where there is one. */
export const signReply = async (key: Nkey, node: string, answer: object, recipient: string | undefined): Promise<RpcReply> => {
  const text = Buffer.from(JSON.stringify(answer), 'utf8');
  const content = recipient === undefined
    ? { sealed: false, payload: text.toString('utf8') }
    : { sealed: true, payload: Buffer.from(await sealTo([recipient], text)).toString('base64') };
  return { ...content, key: key.publicKey, signature: Buffer.from(key.sign(signedBytes(node, content))).toString('base64') };
};

/** Who may have signed a reply, and the secret that opens it. */
export interface ReplyKeys {
  /** Public keys of the node, `U...`: two while it rotates. */
  readonly trusted: readonly string[];
  /** age identity. */
  readonly identity: string;
}

/** The JSON in a reply that this node has signed; still to be validated. Throws `reply-not-trusted` (permanent) for anything else. */
export const openReply = async (reply: RpcReply, node: string, { trusted, identity }: ReplyKeys): Promise<unknown> => {
  const signature = Buffer.from(reply.signature, 'base64');
  if (!trusted.includes(reply.key) || !verifyNkey('user', reply.key, signedBytes(node, reply), signature)) {
    throw fault('refused', 'reply-not-trusted', 'Something answered in the name of this node without its key; see who is connected to the bus');
  }
  const text = reply.sealed ? Buffer.from(await openSealed(identity, Buffer.from(reply.payload, 'base64'))).toString('utf8') : reply.payload;
  return JSON.parse(text) as unknown;
};
