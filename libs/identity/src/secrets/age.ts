import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { fault } from '#kernel';
import type { AgeKey } from '../keys/installation-keys.ts';

/** Makes an age key pair. */
export const newAgeKey = async (): Promise<AgeKey> => {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
};

/** True for a recipient that `sealTo` accepts. */
export const isAgeRecipient = (text: string): boolean => {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
};

/** An age file (binary) that any of the recipients can open. Throws `invalid-recipient`. */
export const sealTo = async (recipients: readonly string[], plain: Uint8Array): Promise<Uint8Array> => {
  const encrypter = new Encrypter();
  if (recipients.length === 0) throw fault('validation', 'invalid-recipient', 'Name at least one age recipient');
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw fault('validation', 'invalid-recipient', 'An age recipient begins with age1; copy the whole of it', { cause });
    }
  }
  return encrypter.encrypt(plain);
};

/** The content of an age file. Throws `seal-unreadable` when the identity is not one of its recipients or the file is damaged. */
export const openSealed = async (identity: string, sealed: Uint8Array): Promise<Uint8Array> => {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity);
    return await decrypter.decrypt(sealed);
  } catch (cause) {
    throw fault('refused', 'seal-unreadable', 'This identity cannot open the sealed content: it was sealed to another key, or it is damaged', { cause });
  }
};
