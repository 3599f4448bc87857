import { createHash } from 'node:crypto';
import { isAppError } from '#kernel';
import { checkChunk } from '../format/chunk-id.ts';
import { decodeFrame, type FrameCipher, frameCipher } from '../format/frame.ts';
import { keyFrom } from '../format/keys.ts';
import { hashOfName } from '../format/names.ts';
import { frameClass } from '../format/limits.ts';
import { decodeTrailer, openDirectory, type PackedFrame, trailerBytes } from '../format/pack.ts';

/** What became of one copy of a chunk. */
export const copyState = { unchecked: 0, good: 1, damaged: 2, unreachable: 3, keyMissing: 4 } as const;

/** A pack to be checked, as sent to a thread. */
export interface PackCheck {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Absent: only the hash is checked. */
  readonly decode?: {
    readonly repositoryId: string;
    /** Keys by class and id (`data 0f..`); a frame whose key is not here is `keyMissing`. */
    readonly keys: ReadonlyMap<string, Uint8Array>;
    /** Absent: data frames are opened and decompressed, their chunk ids not checked. */
    readonly chunkIdKey?: Uint8Array;
  };
}

/** What was found in a pack. */
export interface PackCheckResult {
  readonly hashMatches: boolean;
  /** One `copyState` a chunk in the order of the directory; empty without `decode`, or when the directory does not open. */
  readonly states: Uint8Array;
  /** Code and sentence of the first damaged frame. */
  readonly damage?: { readonly code: string; readonly detail: string };
}

const damageOf = (error: unknown): { code: string; detail: string } =>
  isAppError(error) ? { code: error.code, detail: error.detail } : { code: 'frame-damaged', detail: 'A frame does not decode' };

const framesOf = (bytes: Buffer, cipherOf: (name: string) => FrameCipher | undefined): readonly PackedFrame[] => {
  const trailer = bytes.subarray(Math.max(0, bytes.length - trailerBytes));
  const { directoryLength, catalogKeyId } = decodeTrailer(trailer);
  const cipher = cipherOf(`catalog ${catalogKeyId}`);
  if (!cipher || directoryLength + trailerBytes > bytes.length) return [];
  return openDirectory(cipher, bytes.subarray(bytes.length - trailerBytes - directoryLength, bytes.length - trailerBytes), trailer, bytes.length);
};

interface FrameContext { readonly bytes: Buffer; readonly chunkIdKey: Uint8Array | undefined; readonly note: (error: unknown) => void }

const checkChunks = (frame: PackedFrame, cipher: FrameCipher, { bytes, chunkIdKey, note }: FrameContext): number[] => {
  let plain: Uint8Array;
  try {
    plain = decodeFrame(cipher, frame, bytes.subarray(frame.offset, frame.offset + frame.length));
  } catch (error) {
    note(error);
    return frame.chunks.map(() => copyState.damaged);
  }
  let at = 0;
  return frame.chunks.map(({ id, length }) => {
    const chunk = plain.subarray(at, at + length);
    at += length;
    try {
      if (frame.class === frameClass.catalog || chunkIdKey) checkChunk(frame.class, id, chunk, chunkIdKey);
      return copyState.good;
    } catch (error) {
      note(error);
      return copyState.damaged;
    }
  });
};

/** Checks the hash of a pack and, when keys are given, decodes every frame and checks the id of every chunk. Never throws for damage. */
export const checkPack = (check: PackCheck): PackCheckResult => {
  const bytes = Buffer.from(check.bytes.buffer, check.bytes.byteOffset, check.bytes.length);
  const hashMatches = createHash('sha256').update(bytes).digest().equals(hashOfName(check.name));
  const { decode } = check;
  if (!decode) return { hashMatches, states: new Uint8Array(0) };
  const ciphers = new Map<string, FrameCipher>();
  const cipherOf = (name: string): FrameCipher | undefined => {
    const key = decode.keys.get(name);
    if (key && !ciphers.has(name)) ciphers.set(name, frameCipher(decode.repositoryId, keyFrom(key)));
    return ciphers.get(name);
  };
  let damage: PackCheckResult['damage'];
  const states: number[] = [];
  const note = (error: unknown): void => {
    damage ??= damageOf(error);
  };
  const checkFrame = (frame: PackedFrame): void => {
    const cipher = cipherOf(`${frame.class === frameClass.data ? 'data' : 'catalog'} ${frame.keyId}`);
    states.push(...(cipher ? checkChunks(frame, cipher, { bytes, chunkIdKey: decode.chunkIdKey, note }) : frame.chunks.map(() => copyState.keyMissing)));
  };
  try {
    for (const frame of framesOf(bytes, cipherOf)) checkFrame(frame);
  } catch (error) {
    damage ??= damageOf(error);
  }
  return { hashMatches, states: Uint8Array.from(states), ...(damage ? { damage } : {}) };
};
