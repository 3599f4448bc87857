import { IsIn, IsInt, IsOptional, IsString, Matches, Min } from 'class-validator';

/** What a command can order. `stop`, `rotate` and `upgrade` never wait behind a running backup. */
export const commandVerbs = ['backup', 'restore', 'verify', 'prune', 'stop', 'rotate', 'upgrade'] as const;
export type CommandVerb = (typeof commandVerbs)[number];

/** A signed pointer to work: what is to be done is told at the claim, so a replayed or stale command does nothing. */
export class Command {
  /** `protocolVersion` of the sender. */
  @IsInt() @Min(1) protocol: number;
  @Matches(/^node_[0-9a-z]+$/) node: string;
  /** The run it is about; absent for orders about the node itself. */
  @IsOptional() @Matches(/^run_[0-9a-z]{20}$/) run?: string;
  /** 1 for the first attempt of the run. */
  @IsOptional() @IsInt() @Min(1) attempt?: number;
  @IsIn(commandVerbs) verb: CommandVerb;
  /** For `rotate`: which rotation; its agent asks the masters to sign for it. */
  @IsOptional() @Matches(/^rot_[0-9a-z]{20}$/) rotation?: string;
  /** RFC 3339, the master's clock; for display only. */
  @IsString() issuedAt: string;
}

/**
 * `Nats-Msg-Id` of a command: publishing it again is harmless. Within its duplicate window the stream drops, silently, an id that it
 * has seen, although whoever took that message may be dead: what is to be told once more needs another `repetition`. Those who
 * repeat at the same moment choose the same number, so that it is told once.
 */
export const commandMessageId = (command: Pick<Command, 'node' | 'run' | 'attempt' | 'verb' | 'issuedAt'>, repetition = 0): string => {
  const id = command.run ? `${command.run}.${command.attempt}.${command.verb}` : `${command.node}.${command.issuedAt}.${command.verb}`;
  return repetition === 0 ? id : `${id}.${repetition}`;
};

/** Anything a master says to an agent (command, answer, rpc request), signed so that owning the bus is not enough to forge it. */
export class SignedMessage {
  /** The exact JSON text that was signed. */
  @IsString() payload: string;
  /** Id of the command key: the node pins a list of these. */
  @IsString() key: string;
  /** Ed25519 over `holdfast/1 <purpose>\0<node id>\0<payload>`, base64. */
  @IsString() signature: string;
}

/** What a signature is for; a signature for one purpose is worthless for another. */
export type SignaturePurpose = 'command' | 'answer' | 'rpc';
