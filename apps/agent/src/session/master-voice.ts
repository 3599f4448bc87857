import { SignedMessage, type SignaturePurpose, parseMessage } from '#contracts';
import { type PinnedKey, openMessage } from '#identity';
import { type Refusal, type Result, err, isAppError, ok, refuse } from '#kernel';

const parsePlain = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
};

/** Tells what masters said from what somebody on the bus made up: signed for this node by one of the keys that it pins. */
export class MasterVoice {
  private readonly node: string;
  private keys: readonly PinnedKey[];

  constructor(node: string, pinned: readonly PinnedKey[]) {
    this.node = node;
    this.keys = pinned;
  }

  /** Replaces the pinned keys. */
  pin(pinned: readonly PinnedKey[]): void {
    this.keys = pinned;
  }

  /** The JSON value that a master said to this node for this purpose; a refusal for everything else. */
  hear(purpose: SignaturePurpose, plain: unknown): Result<unknown, Refusal> {
    const message = parseMessage(SignedMessage, plain instanceof Uint8Array ? parsePlain(plain) : plain);
    if (!message.ok) return message;
    try {
      return ok(openMessage(this.keys, purpose, this.node, message.value));
    } catch (error) {
      if (isAppError(error)) return err(error);
      return err(refuse('validation', 'invalid-message', `The signed ${purpose} is not JSON`));
    }
  }
}
