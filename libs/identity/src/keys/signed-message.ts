import type { SignaturePurpose, SignedMessage } from '#contracts';
import { fault } from '#kernel';
import { type PinnedKey, type SigningKey, verifyPinned } from './signing-key.ts';

/** Purpose and node are part of what is signed: a command cannot pass as an answer, nor be shown to another node. */
const signedBytes = (purpose: SignaturePurpose, nodeId: string, payload: string): Buffer => {
  if (nodeId.includes('\0')) throw fault('validation', 'invalid-node-id', 'A node id holds no zero byte');
  return Buffer.from(`holdfast/1 ${purpose}\0${nodeId}\0${payload}`, 'utf8');
};

/** Signs what a master says to a node; `payload` becomes JSON. */
export const signMessage = (key: SigningKey, purpose: SignaturePurpose, nodeId: string, payload: object): SignedMessage => {
  const text = JSON.stringify(payload);
  return { payload: text, key: key.id, signature: Buffer.from(key.sign(signedBytes(purpose, nodeId, text))).toString('base64') };
};

/**
 * The JSON inside a message that one of the pinned keys signed for this purpose and node; still to be validated by its class.
 * Throws `signature-refused` (permanent) otherwise.
 */
export const openMessage = (pinned: readonly PinnedKey[], purpose: SignaturePurpose, nodeId: string, message: SignedMessage): unknown => {
  const signature = Buffer.from(message.signature, 'base64');
  if (!verifyPinned(pinned, message.key, signedBytes(purpose, nodeId, message.payload), signature)) {
    throw fault('forbidden', 'signature-refused', `This ${purpose} was not signed by a key that this node trusts; enrol the node again if the master's keys were replaced`);
  }
  return JSON.parse(message.payload) as unknown;
};
