import { type KeyObject, createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { fault } from '#kernel';

/** What a key stands for; decides the first letter of its text (O, A, U). Format: https://github.com/nats-io/nkeys */
export type NkeyKind = 'operator' | 'account' | 'user';

/** An Ed25519 key pair as NATS writes it. */
export interface Nkey {
  readonly kind: NkeyKind;
  /** `O...`, `A...` or `U...`, 56 characters. */
  readonly publicKey: string;
  /** `SO...`, `SA...` or `SU...`: secret. */
  readonly seed: string;
  /** Raw Ed25519 signature, 64 bytes. */
  sign(data: Uint8Array): Uint8Array;
}

const prefixes: Readonly<Record<NkeyKind, number>> = { operator: 14 << 3, account: 0, user: 20 << 3 };
const seedPrefix = 18 << 3;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const spki = Buffer.from('302a300506032b6570032100', 'hex');
const invalid = () => fault('validation', 'invalid-nkey', 'This is no NATS key of the kind that is needed here; copy the whole of it');

const toBase32 = (bytes: Uint8Array): string => {
  let [text, value, bits] = ['', 0, 0];
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text;
};

const fromBase32 = (text: string): Buffer => {
  const bytes: number[] = [];
  let [value, bits] = [0, 0];
  for (const letter of text) {
    const digit = alphabet.indexOf(letter);
    if (digit < 0) throw invalid();
    value = ((value << 5) | digit) & 0xffff;
    bits += 5;
    if (bits >= 8) bytes.push((value >>> (bits -= 8)) & 255);
  }
  return Buffer.from(bytes);
};

/** CRC-16/XMODEM, little endian at the end of every key. */
const checksum = (bytes: Uint8Array): number => {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
};

const encode = (...parts: readonly Uint8Array[]): string => {
  const body = Buffer.concat(parts);
  const end = Buffer.alloc(2);
  end.writeUInt16LE(checksum(body));
  return toBase32(Buffer.concat([body, end]));
};

const decode = (text: string, length: number): Buffer => {
  if (text.length !== Math.ceil((length * 8) / 5)) throw invalid();
  const bytes = fromBase32(text);
  if (bytes.length !== length || bytes.readUInt16LE(length - 2) !== checksum(bytes.subarray(0, -2))) throw invalid();
  return bytes.subarray(0, -2);
};

const rawPublic = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(-32);

const fromRaw = (kind: NkeyKind, raw: Uint8Array): Nkey => {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, raw]), format: 'der', type: 'pkcs8' });
  const prefix = prefixes[kind];
  return {
    kind,
    publicKey: encode(Buffer.of(prefix), rawPublic(createPublicKey(privateKey))),
    seed: encode(Buffer.of(seedPrefix | (prefix >> 5), (prefix & 31) << 3), raw),
    sign: (data) => sign(null, data, privateKey),
  };
};

/** Makes a new key pair. */
export const newNkey = (kind: NkeyKind): Nkey => fromRaw(kind, randomBytes(32));

/** The key pair of a seed. Throws `invalid-nkey` when the text is no seed of this kind. */
export const nkeyFromSeed = (kind: NkeyKind, seed: string): Nkey => {
  const bytes = decode(seed.trim(), 36);
  const [first = 0, second = 0] = bytes;
  const prefix = ((first & 7) << 5) | ((second & 248) >> 3);
  if ((first & 248) !== seedPrefix || prefix !== prefixes[kind]) throw invalid();
  return fromRaw(kind, bytes.subarray(2));
};

const publicKeyOf = (kind: NkeyKind, text: string): KeyObject => {
  const bytes = decode(text, 35);
  if (bytes[0] !== prefixes[kind]) throw invalid();
  return createPublicKey({ key: Buffer.concat([spki, bytes.subarray(1)]), format: 'der', type: 'spki' });
};

/** True for a well-formed public key of this kind. */
export const isNkey = (kind: NkeyKind, text: string): boolean => {
  try {
    publicKeyOf(kind, text);
    return true;
  } catch {
    return false;
  }
};

/** True when `signature` over `data` was made with the pair of the public key `text`; false for any malformed input. */
export const verifyNkey = (kind: NkeyKind, text: string, data: Uint8Array, signature: Uint8Array): boolean => {
  try {
    return verify(null, data, publicKeyOf(kind, text), signature);
  } catch {
    return false;
  }
};
