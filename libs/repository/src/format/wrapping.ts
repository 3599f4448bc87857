import { fault, messageOf } from '#kernel';
import { damaged } from './damage.ts';
import { checkKeyId, type Key, keyFrom } from './keys.ts';
import { limits } from './limits.ts';

/** age is loaded when it is needed: a run that wraps nothing should not pay for it at its start. */
const age = () => import('age-encryption');

/** A fresh age key pair: the identity (secret, `AGE-SECRET-KEY-1...`) and its recipient (`age1...`). */
export const generateIdentity = async (): Promise<{ identity: string; recipient: string }> => {
  const { generateX25519Identity, identityToRecipient } = await age();
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
};

/** The recipient of an identity. Throws `identity-malformed`. */
export const recipientOf = async (identity: string): Promise<string> => {
  const { identityToRecipient } = await age();
  try {
    return await identityToRecipient(identity.trim());
  } catch {
    throw fault('validation', 'identity-malformed', 'This is no age identity; it begins with AGE-SECRET-KEY-1');
  }
};

/** The identities in the text of an identity file: one a line, empty lines and lines with `#` are left out. */
export const parseIdentityFile = (text: string): string[] => {
  const identities = text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0 || identities.some((line) => !/^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+$/.test(line))) {
    throw fault('validation', 'identity-malformed', 'The identity file must hold one AGE-SECRET-KEY-1... a line');
  }
  return identities;
};

/** Encrypts bytes to age recipients. Throws `recipient-malformed`. */
export const sealTo = async (bytes: Uint8Array, recipients: readonly string[]): Promise<Buffer> => {
  if (recipients.length === 0) throw fault('validation', 'recipient-missing', 'At least one recipient (age1...) is needed');
  const { Encrypter } = await age();
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw fault('validation', 'recipient-malformed', 'A recipient is not an age public key (age1...)');
    }
  }
  return Buffer.from(await encrypter.encrypt(bytes));
};

/** Decrypts an age file. Undefined when none of the identities is meant; throws `key-damaged` when the file is no age file. */
export const openWith = async (file: Uint8Array, identities: readonly string[]): Promise<Buffer | undefined> => {
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  for (const identity of identities) {
    try {
      decrypter.addIdentity(identity);
    } catch {
      throw fault('validation', 'identity-malformed', 'A given identity is not an age identity (AGE-SECRET-KEY-1...)');
    }
  }
  try {
    return Buffer.from(await decrypter.decrypt(file));
  } catch (error) {
    if (messageOf(error).includes('no identity matched')) return undefined;
    throw damaged('key-damaged', 'A wrapped key is not a whole age file');
  }
};

/** Wraps one key to recipients. Recipients are deduplicated and sorted: what is asked for twice is one stanza. */
export const wrapKey = (key: Key, recipients: readonly string[]): Promise<Buffer> => sealTo(key.bytes, [...new Set(recipients)].sort());

/** Unwraps one key and proves that it is the one of `keyId`. Undefined when no identity is meant. */
export const unwrapKey = async (file: Uint8Array, keyId: string, identities: readonly string[]): Promise<Key | undefined> => {
  if (file.length > limits.wrappedKeyBytes) throw damaged('key-damaged', `A wrapped key of ${file.length} bytes is too large`);
  const bytes = await openWith(file, identities);
  if (!bytes) return undefined;
  checkKeyId(bytes, keyId);
  return keyFrom(bytes);
};
