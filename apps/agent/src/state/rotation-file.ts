import { IsBoolean, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { parseMessage } from '#contracts';
import { nkeyFromSeed } from '#identity';
import { readTextFile, removeFile, writePrivateFile } from './private-file.ts';
import type { StateDirectory } from './state-directory.ts';

/** A rotation in hand. It is written down before each step that others see, so that a process that dies goes on where it was. */
export class RotationInHand {
  @Matches(/^rot_[0-9a-z]{20}$/) rotation: string;
  /** Public key that the new one takes the place of. */
  @Matches(/^U[A-Z2-7]{55}$/) replaces: string;
  /** `SU...`: the new key; made on this host and never sent anywhere. */
  @Matches(/^SU[A-Z2-7]{56}$/) seed: string;
  /** Its token, once a master has answered. */
  @IsOptional() @IsString() @MaxLength(16_384) jwt?: string;
  /** The bus has accepted it: from here on it takes the old one's place. */
  @IsOptional() @IsBoolean() accepted?: boolean;
}

/** Undefined when there is none, or none that can be read: its new key is then made again. */
export const readRotation = (state: StateDirectory): RotationInHand | undefined => {
  const text = readTextFile(state.rotation);
  if (text === undefined) return undefined;
  try {
    const parsed = parseMessage(RotationInHand, JSON.parse(text));
    return parsed.ok ? parsed.value : undefined;
  } catch {
    return undefined;
  }
};

/** Replaces the file in one step, readable by its owner only. */
export const writeRotation = (state: StateDirectory, inHand: RotationInHand): void => writePrivateFile(state.rotation, JSON.stringify(inHand));

export const removeRotation = (state: StateDirectory): void => removeFile(state.rotation);

/**
 * Puts a new key that the bus has accepted in the old one's place, before anything of the identity is read: the process that was at it
 * may have died between two files. Doing it again is harmless. A rotation of a key that lies here no longer is forgotten: somebody has
 * enrolled the directory anew since.
 */
export const finishRotation = (state: StateDirectory): void => {
  const inHand = readRotation(state);
  if (!inHand) return;
  const lies = nkeyFromSeed('user', readTextFile(state.natsSeed) ?? '').publicKey;
  if (lies !== inHand.replaces && lies !== nkeyFromSeed('user', inHand.seed).publicKey) return removeRotation(state);
  if (!inHand.accepted || inHand.jwt === undefined) return;
  writePrivateFile(state.natsJwt, inHand.jwt);
  writePrivateFile(state.natsSeed, inHand.seed);
};
